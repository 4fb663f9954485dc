"""Where open orders wait: never narrower than what a bar can do to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from trading.market.bars import Bar
from trading.orders import levels, matching
from trading.orders.costs import Costs
from trading.orders.levels import Levels, Waiting
from trading.orders.working import Terms, WorkingOrder
from trading.values import Increments, OrderType, Side, TimeInForce

T0 = datetime(2024, 1, 1, tzinfo=UTC)
TERMS = Terms(costs=Costs(), increments=Increments(Decimal("0.01"), Decimal("0.001")), touch=True)
prices = st.integers(min_value=50, max_value=150).map(Decimal)


@st.composite
def waiting_orders(draw: Any) -> WorkingOrder:
    kind = draw(st.sampled_from(list(OrderType)))
    fields: dict[str, Any] = {"water_mark": draw(prices)}
    if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        fields["limit_price"] = draw(prices)
    if kind in (OrderType.STOP, OrderType.STOP_LIMIT):
        fields["stop_price"] = draw(prices)
    if kind is OrderType.TRAILING_STOP:
        trail = draw(st.sampled_from(("trail_amount", "trail_percent")))
        fields[trail] = Decimal(draw(st.integers(1, 20)))
    is_triggered = kind in (OrderType.STOP, OrderType.STOP_LIMIT) and draw(st.booleans())
    return WorkingOrder(
        id=uuid4(),
        account=uuid4(),
        symbol="X",
        side=draw(st.sampled_from(list(Side))),
        type=kind,
        remaining=Decimal(1),
        sequence=0,
        matched_through=T0,
        is_resting=draw(st.booleans()),
        is_triggered=is_triggered,
        time_in_force=TimeInForce.GTC,
        **fields,
    )


@st.composite
def bars(draw: Any) -> Bar:
    four = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
    inner = draw(st.permutations(four[1:3]))
    ends = {"low": four[0], "high": four[3], "open": inner[0], "close": inner[1]}
    start = T0 + timedelta(hours=1)
    return Bar(symbol="X", timeframe="1h", start=start, volume=Decimal(0), **ends)


def told(order: WorkingOrder) -> Waiting:
    return Waiting(**{name: getattr(order, name) for name in Waiting.__slots__})


def touches(found: Levels, bar: Bar) -> bool:
    return (
        found.at_once
        or (found.below is not None and bar.low <= found.below)
        or (found.above is not None and bar.high >= found.above)
        or (found.until is not None and bar.end >= found.until)
    )


@settings(max_examples=600, deadline=None)
@given(waiting_orders(), bars())
def test_a_bar_that_does_anything_to_an_order_touches_it(order: WorkingOrder, bar: Bar) -> None:
    outcome = matching.match([order], bar, TERMS)
    done = (outcome.triggers, outcome.executions, outcome.expirations, outcome.water_marks)
    if any(done):
        assert touches(levels.of(told(order)), bar), outcome


def test_a_resting_limit_sleeps_until_its_price() -> None:
    order = WorkingOrder(
        id=uuid4(),
        account=uuid4(),
        symbol="X",
        side=Side.BUY,
        type=OrderType.LIMIT,
        remaining=Decimal(1),
        sequence=0,
        limit_price=Decimal(90),
        is_resting=True,
    )
    assert levels.of(told(order)) == Levels(below=Decimal(90))


def test_a_deadline_wakes_an_order_that_no_price_touches() -> None:
    ends = T0 + timedelta(hours=5)
    order = WorkingOrder(
        id=uuid4(),
        account=uuid4(),
        symbol="X",
        side=Side.SELL,
        type=OrderType.LIMIT,
        remaining=Decimal(1),
        sequence=0,
        limit_price=Decimal(90),
        is_resting=True,
        time_in_force=TimeInForce.GTD,
        expires_at=ends,
    )
    assert levels.of(told(order)).until == ends
