"""A market of a test's own: an instrument nobody else trades, and bars one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

from tests.cast import now
from trading.market import actions
from trading.market.bars import Bar
from trading.market.models import Instrument
from trading.market.ticks import Tick
from trading.orders import feed
from trading.values import Side

_START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Market:
    symbol: str
    hours: count[int]
    trades: count[int] = field(default_factory=lambda: count(1))

    def bar(self, **numbers: str) -> Bar:
        """The next hour's bar; volume is unknown unless given."""
        start = _START + timedelta(hours=next(self.hours))
        values = {"volume": "0", **numbers}
        return Bar(self.symbol, "1h", start, **{k: Decimal(v) for k, v in values.items()})

    def print_bar(self, **numbers: str) -> Bar:
        """Put on the tape and not matched yet, as by a feed that was killed in between."""
        bar = self.bar(**numbers)
        actions.put(bar)
        return bar

    def feed_bar(self, **numbers: str) -> Bar:
        """Stored and matched, as the live feed does it."""
        bar = self.bar(**numbers)
        self.feed(bar)
        return bar

    def tick(self, at: datetime, price: str, quantity: str = "1000") -> Tick:
        """The next trade, at a moment."""
        numbers = (Decimal(price), Decimal(quantity))
        return Tick(self.symbol, at, *numbers, Side.BUY, next(self.trades), is_buyer_maker=False)

    def feed(self, printed: Bar | Tick) -> int:
        return feed.feed(printed, now=now())


def list_instrument(base: str = "", quote: str = "USD", asset_class: str = "crypto") -> Market:
    base = base or f"X{uuid4().hex[:8].upper()}"
    symbol = f"{base}/{quote}"
    actions.ensure_instrument(
        Instrument(
            symbol=symbol,
            name=symbol,
            asset_class=asset_class,
            base=base,
            quote=quote,
            price_increment=Decimal("0.01"),
            quantity_increment=Decimal("0.001"),
            min_quantity=Decimal("0.001"),
        )
    )
    return Market(symbol, count())
