"""`manage.py feed_candles`: bars as the live feed would bring them, one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from tenants.management.operator_command import OperatorCommand
from trading.market import csv_bars, queries
from trading.orders import feed


class Command(OperatorCommand):
    help = (
        "Feed candles from a CSV file: each bar is stored and matched for every tenant before the"
        " next; one that comes late, or was loaded before, is history."
        " Example: manage.py feed_candles btc.csv --symbol BTC/USD --timeframe 1h"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--symbol", required=True)
        parser.add_argument("--timeframe", required=True)

    def carry_out(self, **options: Any) -> dict[str, Any]:
        symbol = queries.instrument(options["symbol"]).symbol
        bars = fills = 0
        for bar in csv_bars.read(options["file"], symbol, options["timeframe"]):
            fills += feed.feed(bar, now=timezone.now())
            bars += 1
        self.say(f"{symbol} {options['timeframe']}: {bars} bars fed, {fills} fills", options)
        return {"symbol": symbol, "bars": bars, "fills": fills}
