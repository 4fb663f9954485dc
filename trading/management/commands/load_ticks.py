"""`manage.py load_ticks`: trades of the past into the database, matched for nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from tenants.management.operator_command import OperatorCommand
from trading.market import actions, csv_ticks, queries


class Command(OperatorCommand):
    help = (
        "Load ticks from a CSV file (at,price,quantity,side,trade_id,is_buyer_maker). The same file"
        " again changes nothing. Example: manage.py load_ticks btc.csv --symbol BTC/USD"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--symbol", required=True)

    def carry_out(self, **options: Any) -> dict[str, Any]:
        symbol = queries.instrument(options["symbol"]).symbol
        stored = actions.load_ticks(csv_ticks.read(options["file"], symbol))
        self.say(f"{symbol}: {stored} ticks new", options)
        return {"symbol": symbol, "stored": stored}
