"""Books of orders of every kind, and the bars they meet, as hypothesis draws them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from tests.trading.examples import MORNING, a_bar, an_order
from trading.market.bars import Bar
from trading.orders.costs import Costs
from trading.orders.working import WorkingOrder
from trading.values import OrderType, Side, TimeInForce

GROUP = UUID(int=77)

prices = st.decimals("1", "200", places=2)
trails = st.decimals("0.01", "30", places=2)
quantities = st.decimals("0.001", "50", places=3)
bps = st.integers(0, 100).map(Decimal)
costs = st.builds(Costs, maker_bps=bps, taker_bps=bps, slippage_bps=bps)
times_in_force = st.sampled_from(["gtc", "gtc", "ioc", "fok", "day"]).map(TimeInForce)


@st.composite
def bars(draw: st.DrawFn, hour: int = 0) -> Bar:
    low, first, last, high = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
    ends = draw(st.permutations([first, last]))
    volume = draw(st.sampled_from(["0", "3", "40.5", "500"]))
    numbers = " ".join(str(number) for number in (ends[0], high, low, ends[1]))
    return a_bar(numbers, volume=volume, start=MORNING + timedelta(hours=hour))


@st.composite
def histories(draw: st.DrawFn) -> list[Bar]:
    return [draw(bars(hour)) for hour in range(draw(st.integers(1, 5)))]


@st.composite
def books(draw: st.DrawFn, *, alone: bool = False) -> list[WorkingOrder]:
    """Up to six orders; `alone` for none that share a quantity or a position."""
    return [_order(draw, number, alone=alone) for number in range(1, draw(st.integers(1, 6)) + 1)]


@st.composite
def groups(draw: st.DrawFn) -> list[WorkingOrder]:
    """Siblings that sell one quantity, with a stop and a limit among them."""
    quantity = draw(quantities)
    words = {"side": Side.SELL, "remaining": quantity, "group": GROUP}
    kinds = [OrderType.LIMIT, draw(st.sampled_from(OrderType)), draw(st.sampled_from(OrderType))]
    return [
        an_order(number, **words, **_of_type(draw, kind)) for number, kind in enumerate(kinds, 1)
    ]


def _order(draw: st.DrawFn, number: int, *, alone: bool) -> WorkingOrder:
    kind = draw(st.sampled_from(OrderType))
    return an_order(
        number,
        side=draw(st.sampled_from(Side)),
        remaining=draw(quantities),
        time_in_force=draw(times_in_force),
        is_resting=draw(st.booleans()),
        post_only=kind is OrderType.LIMIT and draw(st.booleans()),
        spendable=draw(st.none() | st.decimals("0", "5000", places=2)),
        reducible=None if alone else draw(st.none() | st.decimals("0", "60", places=4)),
        group=None if alone else draw(st.sampled_from([None, None, GROUP])),
        **_of_type(draw, kind),
    )


def _of_type(draw: st.DrawFn, kind: OrderType) -> dict[str, object]:
    """The prices that orders of a type have."""
    words: dict[str, object] = {"type": kind}
    if kind in {OrderType.LIMIT, OrderType.STOP_LIMIT}:
        words["limit_price"] = draw(prices)
    if kind in {OrderType.STOP, OrderType.STOP_LIMIT}:
        words["stop_price"] = draw(prices)
    if kind is OrderType.TRAILING_STOP:
        words[draw(st.sampled_from(["trail_amount", "trail_percent"]))] = draw(trails)
        words["water_mark"] = draw(st.none() | prices)
    if kind in {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP}:
        words["is_triggered"] = draw(st.sampled_from([False, False, True]))
    return words
