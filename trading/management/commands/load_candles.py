"""`manage.py load_candles`: history into the database, matched for nobody."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from tenants.management.operator_command import OperatorCommand
from trading.market import actions, csv_bars, queries


class Command(OperatorCommand):
    help = (
        "Load candles from a CSV file (start,open,high,low,close,volume) as history, which no order"
        " meets. The same file again changes nothing, and what was fed stays."
        " Example: manage.py load_candles btc.csv --symbol BTC/USD --timeframe 1h"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--symbol", required=True)
        parser.add_argument("--timeframe", required=True)

    def carry_out(self, **options: Any) -> dict[str, Any]:
        symbol = queries.instrument(options["symbol"]).symbol
        loaded = actions.load(csv_bars.read(options["file"], symbol, options["timeframe"]))
        line = f"{symbol} {options['timeframe']}: {loaded.stored} candles new or changed"
        if loaded.kept:
            line += f"; {loaded.kept} stay otherwise, as orders met them"
        self.say(line, options)
        return {"symbol": symbol, "timeframe": options["timeframe"], **asdict(loaded)}
