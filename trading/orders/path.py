"""The way the price took, as orders meet it: the four points of a bar in order, or a tick's one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.market.bars import Bar
from trading.market.ticks import Tick
from trading.records import record
from trading.values import Side

# Written into every fill: a change of the rules is a new name.
BAR_MODEL = "bar-2"
TICK_MODEL = "tick-2"


@record(frozen=True, slots=True)
class Path:
    """From `start` to `end` the price went from one of its points straight to the next.

    A volume of 0 means it is not known.
    """

    symbol: str
    start: datetime
    end: datetime
    points: tuple[Decimal, ...]
    volume: Decimal
    model: str
    market: Bar | Tick
    trade_id: int | None = None

    @property
    def source(self) -> dict[str, object]:
        """What the path was made from, in JSON's terms."""
        if isinstance(self.market, Tick):
            return {"tick": self.market.described()}
        return {"bar": self.market.described()}

    @property
    def open(self) -> Decimal:
        return self.points[0]

    @property
    def close(self) -> Decimal:
        return self.points[-1]

    def best(self, side: Side, since: int = 0) -> Decimal:
        """The price that served the side best, from the point with that number on."""
        if not since:
            return self.market.low if side is Side.BUY else self.market.high
        return min(self.points[since:]) if side is Side.BUY else max(self.points[since:])

    def first_beyond(self, level: Decimal, side: Side) -> int | None:
        """The number of the first point that has reached a stop's level; the open's is 0."""
        worst = self.market.high if side is Side.BUY else self.market.low
        if not reached(worst, level, side):
            return None
        found = (place for place, price in enumerate(self.points) if reached(price, level, side))
        return next(found)


def of(market: Bar | Tick) -> Path:
    """The path of a bar, or of a tick: that is the bar which is one price, whose time is known."""
    return _of_tick(market) if isinstance(market, Tick) else _of_bar(market)


def reached(price: Decimal, level: Decimal, side: Side) -> bool:
    """Whether the market at `price` triggers a stop at the level: a touch is enough."""
    return price >= level if side is Side.BUY else price <= level


def _of_bar(bar: Bar) -> Path:
    """Open, nearer extreme, farther extreme, close; the low first where both are equally near."""
    low_first = bar.open - bar.low <= bar.high - bar.open
    extremes = (bar.low, bar.high) if low_first else (bar.high, bar.low)
    points = (bar.open, *extremes, bar.close)
    return Path(bar.symbol, bar.start, bar.end, points, bar.volume, BAR_MODEL, bar)


def _of_tick(tick: Tick) -> Path:
    return Path(
        symbol=tick.symbol,
        start=tick.at,
        end=tick.at,
        points=(tick.price,),
        volume=tick.quantity,
        model=TICK_MODEL,
        market=tick,
        trade_id=tick.trade_id,
    )
