"""`manage.py make_partitions`: room for the market's months to come."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from tenants.management.operator_command import OperatorCommand
from trading.market import partitioning
from trading.market.tasks import MONTHS_AHEAD

MOST_MONTHS = 120


class Command(OperatorCommand):
    help = (
        "Make the partitions of market data for the months to come, and empty the DEFAULT of ticks"
        " into partitions of their own. Safe to run twice. Example: manage.py make_partitions"
        " --months 6"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--months", type=int, default=MONTHS_AHEAD)

    def carry_out(self, **options: Any) -> dict[str, Any]:
        if not 0 <= options["months"] <= MOST_MONTHS:
            raise CommandError(f"--months is between 0 and {MOST_MONTHS}")
        made = partitioning.make(months=options["months"], now=timezone.now())
        self.say(f"{len(made.partitions)} partitions made, {made.moved} rows moved", options)
        if made.left:
            raise CommandError(f"{made.left} rows lie in a DEFAULT that has to be empty")
        return asdict(made)
