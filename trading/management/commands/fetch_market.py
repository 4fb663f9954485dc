"""`manage.py fetch_market`: candles of an exchange into the gaps of our own."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from tenants.management.operator_command import OperatorCommand
from trading.market import fetching, public
from trading.market.timeframes import duration


class Command(OperatorCommand):
    help = (
        "Fetch the candles that are missing from the exchange MARKET_EXCHANGE, matched for nobody."
        " Without --since, from the newest one on. Example: manage.py fetch_market"
        " --symbol BTC/USDT --timeframe 1h --since 2024-01-01T00:00:00Z"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--symbol", required=True)
        parser.add_argument("--timeframe", required=True)
        parser.add_argument("--since", help="a time with its offset from UTC")
        parser.add_argument("--trades", action="store_true", help="and every single trade")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        symbol, timeframe = options["symbol"], options["timeframe"]
        duration(timeframe)
        fetched = fetching.fetch(
            symbol,
            timeframe,
            client=public.client(),
            now=timezone.now(),
            since=_moment(options["since"]),
            trades=options["trades"],
        )
        self.say(f"{symbol} {timeframe}: {fetched.candles} candles new", options)
        return {"symbol": symbol, "timeframe": timeframe, **asdict(fetched)}


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise CommandError("--since has no offset from UTC")
    return moment.astimezone(UTC)
