"""`manage.py feed_ticks`: trades as the live feed would bring them, one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from tenants.management.operator_command import OperatorCommand
from trading.market import csv_ticks, queries
from trading.orders import feed


class Command(OperatorCommand):
    help = (
        "Feed ticks from a CSV file (at,price,quantity,side,trade_id,is_buyer_maker): each is"
        " stored and matched for every tenant before the next; one that comes late, or was loaded"
        " before, is history. Example: manage.py feed_ticks btc.csv --symbol BTC/USD"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--symbol", required=True)

    def carry_out(self, **options: Any) -> dict[str, Any]:
        symbol = queries.instrument(options["symbol"]).symbol
        ticks = fills = 0
        for tick in csv_ticks.read(options["file"], symbol):
            fills += feed.feed(tick, now=timezone.now())
            ticks += 1
        self.say(f"{symbol}: {ticks} ticks fed, {fills} fills", options)
        return {"symbol": symbol, "ticks": ticks, "fills": fills}
