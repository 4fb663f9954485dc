"""A book that lives from bar to bar does to each what `step` does with all of its orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.trading.examples import MORNING, a_bar, an_order, terms
from tests.trading.orders import drawn
from tests.trading.orders.told import buy, sell, tick, told
from trading.market.bars import Bar
from trading.market.ticks import Tick
from trading.orders import live_book
from trading.orders.book import Book
from trading.orders.live_book import LiveBook
from trading.orders.matching import MixedOrders, step
from trading.orders.working import WorkingOrder
from trading.values import OrderType, Side, TimeInForce

ACCOUNT = an_order().account
GROUPS = [UUID(int=77), UUID(int=78)]
near = st.decimals("90", "110", places=1)
numbers = st.integers(1, 12)


@dataclass(frozen=True)
class Turn:
    """What a trader does, and the bar or tick that comes after it."""

    placed: list[WorkingOrder]
    canceled: list[UUID]
    market: Bar | Tick
    conditions: dict[str, Any]


@st.composite
def orders(draw: st.DrawFn, number: int) -> WorkingOrder:
    """Of every kind, around 100; some hang together, and some have met or know a bar already."""
    kind = draw(st.sampled_from(OrderType))
    time_in_force = draw(st.sampled_from(["gtc", "gtc", "gtc", "ioc", "fok", "day", "gtd"]))
    is_dated = time_in_force == "gtd" or draw(st.integers(0, 9)) == 0
    return an_order(
        number,
        side=draw(st.sampled_from(Side)),
        remaining=draw(st.decimals("0.5", "9", places=1)),
        sequence=draw(numbers),
        time_in_force=TimeInForce(time_in_force),
        expires_at=draw(moments()) if is_dated else None,
        matched_through=draw(st.none() | moments()),
        matched_trade=draw(st.none() | st.integers(0, 9)),
        is_resting=draw(st.booleans()),
        post_only=kind is OrderType.LIMIT and draw(st.booleans()),
        spendable=draw(st.none() | st.decimals("0", "900", places=2)),
        reducible=draw(st.none() | st.none() | st.decimals("0", "9", places=4)),
        group=draw(st.sampled_from([None, None, *GROUPS])),
        waits_for=draw(st.none() | st.none() | numbers.map(lambda entry: UUID(int=entry))),
        **draw(prices(kind)),
    )


@st.composite
def prices(draw: st.DrawFn, kind: OrderType) -> dict[str, Any]:
    words: dict[str, Any] = {"type": kind}
    if kind in {OrderType.LIMIT, OrderType.STOP_LIMIT}:
        words["limit_price"] = draw(near)
    if kind in {OrderType.STOP, OrderType.STOP_LIMIT}:
        words["stop_price"] = draw(near)
    if kind is OrderType.TRAILING_STOP:
        name = draw(st.sampled_from(["trail_amount", "trail_percent"]))
        words[name] = draw(st.decimals("0.5", "12", places=2))
        words["water_mark"] = draw(st.none() | near)
    if kind not in {OrderType.MARKET, OrderType.LIMIT}:
        words["is_triggered"] = draw(st.integers(0, 5)) == 0
    return words


def moments() -> st.SearchStrategy[datetime]:
    return st.integers(0, 48).map(lambda quarters: MORNING + timedelta(minutes=15 * quarters))


@st.composite
def markets(draw: st.DrawFn, hour: int) -> Bar | Tick:
    """Narrow enough to leave most orders alone; now and then one that came before."""
    hour = max(0, hour - draw(st.sampled_from([0, 0, 0, 0, 0, 1])))
    start, middle = MORNING + timedelta(hours=hour), draw(near)
    if draw(st.integers(0, 3)) == 0:
        seconds = 3_600 * hour + draw(st.integers(0, 2))
        quantity = draw(st.sampled_from(["20", "1000"]))
        return tick(draw(st.integers(0, 9)), str(middle), quantity, seconds=seconds)
    steps = draw(st.lists(st.decimals("0", "2", places=1), min_size=4, max_size=4))
    open_, close = middle + steps[0], middle - steps[1]
    told_ = f"{open_} {max(open_, close) + steps[2]} {min(open_, close) - steps[3]} {close}"
    return a_bar(told_, volume=draw(st.sampled_from(["0", "0", "3", "40.5", "500"])), start=start)


@st.composite
def turns(draw: st.DrawFn, hour: int) -> Turn:
    placed = [draw(orders(draw(numbers))) for _ in range(draw(st.sampled_from([0, 0, 1, 2, 4])))]
    canceled = [UUID(int=draw(numbers)) for _ in range(draw(st.sampled_from([0, 0, 0, 1])))]
    conditions: dict[str, Any] = {}
    if draw(st.integers(0, 9)) == 0:
        conditions["session_ends_at"] = draw(moments())
    if draw(st.integers(0, 9)) == 0:
        conditions["taken"] = draw(drawn.quantities)
    return Turn(placed, canceled, draw(markets(hour)), conditions)


@st.composite
def days(draw: st.DrawFn) -> list[Turn]:
    return [draw(turns(hour)) for hour in range(draw(st.integers(2, 8)))]


@settings(max_examples=300, deadline=None)
@given(days(), drawn.costs, st.booleans())
def test_a_live_book_gives_what_all_of_its_orders_give_at_every_step(
    day: list[Turn], costs: Any, touch: bool
) -> None:
    on = terms(costs, touch=touch)
    book, listed = LiveBook(ACCOUNT, "GOOG", on), tuple[WorkingOrder, ...]()
    for turn in day:
        for order in turn.placed:
            book.place(order)
            listed = (*(other for other in listed if other.id != order.id), order)
        for order_id in turn.canceled:
            ended = hanging_on(order_id, listed)
            assert book.cancel(order_id) == tuple(order.id for order in ended)
            listed = tuple(order for order in listed if order not in ended)
        done = step(listed, turn.market, on, **turn.conditions)
        assert repr(book.meet(turn.market, **turn.conditions)) == repr(done.outcome)
        assert repr(book.orders) == repr(done.orders)
        listed = done.orders
        event("left open" if listed else "nothing left")


def hanging_on(order_id: UUID, listed: Iterable[WorkingOrder]) -> tuple[WorkingOrder, ...]:
    """The order, its group and their legs, in the order of time."""
    by_time = sorted(listed, key=lambda order: (order.sequence, order.id))
    groups = {order.group for order in by_time if order.id == order_id} - {None}
    ended = {order.id for order in by_time if order.id == order_id or order.group in groups}
    return tuple(order for order in by_time if order.id in ended or order.waits_for in ended)


class Counting(Book):
    """A book that tells how many orders have met a bar."""

    met: list[int]

    def __init__(self, orders: Iterable[WorkingOrder], conditions: Any) -> None:
        given_ = list(orders)
        self.met.append(len(given_))
        super().__init__(given_, conditions)


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For each bar that touched something, how many orders met it."""
    Counting.met = []
    monkeypatch.setattr(live_book, "Book", Counting)
    return Counting.met


def a_book(*placed: WorkingOrder) -> LiveBook:
    book = LiveBook(ACCOUNT, "GOOG", terms())
    for order in placed:
        book.place(order)
    return book


def hourly(*lines: str) -> list[Bar]:
    return [a_bar(line, start=MORNING + timedelta(hours=place)) for place, line in enumerate(lines)]


def test_orders_far_away_are_not_looked_at(met: list[int]) -> None:
    far = [buy(number, limit="50") for number in range(2, 50)]
    far += [sell(number, stop="40", sequence=number) for number in range(50, 90)]
    book = a_book(*far)
    first, second, third = hourly(*["100 105 95 101"] * 3)
    assert not told(book.meet(first))
    book.place(buy(1, limit="96"))
    assert told(book.meet(second)) == ["1 fill 10 @ 96 maker fee 0"]
    assert not told(book.meet(third))
    assert met == [1]


def test_an_order_far_away_says_that_it_has_met_the_bars_in_between() -> None:
    book, history = a_book(buy(limit="50")), hourly(*["100 105 95 101"] * 3)
    for bar in history:
        book.meet(bar)
    (order,) = book.orders
    assert order == replace(buy(limit="50"), is_resting=True, matched_through=history[-1].start)


def test_an_order_sleeps_until_its_price_or_its_deadline_comes(met: list[int]) -> None:
    bars = hourly(*["100 105 95 101"] * 3, "100 105 49 101")
    deadline = {"time_in_force": TimeInForce.GTD, "expires_at": bars[2].end}
    book = a_book(buy(1, limit="50"), buy(2, limit="40", **deadline))
    outcomes = [told(book.meet(bar)) for bar in bars]
    assert outcomes == [[], [], ["2 expired expires_at_reached"], ["1 fill 10 @ 50 maker fee 0"]]
    assert met == [1, 1]


def test_a_trailing_stop_wakes_when_its_mark_moves(met: list[int]) -> None:
    book = a_book(sell(trail="10", mark="100"))
    bars = hourly("100 100 95 99", "99 99 95 98", "98 103 98 103", "103 103 93 94")
    outcomes = [told(book.meet(bar)) for bar in bars]
    assert outcomes == [[], [], ["1 mark 103"], ["1 triggered", "1 fill 10 @ 93 taker fee 0"]]
    assert met == [1, 1, 1]


def test_a_sibling_and_a_leg_come_along_with_the_order_that_is_touched(met: list[int]) -> None:
    group, entry = {"group": GROUPS[0]}, UUID(int=1)
    profit = sell(1, limit="110", **group)
    stop, leg = sell(2, stop="90", **group), sell(3, stop="80", waits_for=entry)
    book, bars = a_book(profit, stop, leg), hourly("100 105 95 101", "100 111 95 101")
    assert not told(book.meet(bars[0]))
    assert told(book.meet(bars[1])) == [
        "1 fill 10 @ 110 maker fee 0",
        "2 canceled oco_sibling_filled",
        "3 starts",
    ]
    assert [order.id for order in book.orders] == [leg.id]
    assert met == [3]


def test_a_reduce_only_order_far_away_ends_with_the_position(met: list[int]) -> None:
    position = {"reducible": "10"}
    book = a_book(sell(1, **position), sell(2, limit="200", **position))
    assert told(book.meet(a_bar())) == [
        "1 fill 10 @ 100 taker fee 0",
        "2 canceled nothing_to_reduce",
    ]
    assert not book.orders


def test_a_bar_that_comes_late_is_met_by_those_alone_who_have_met_no_later_one() -> None:
    group = {"group": GROUPS[0]}
    bars = hourly(*["100 105 95 101"] * 3)
    book = a_book(sell(1, stop="90", is_resting=True, **group))
    for bar in bars:
        book.meet(bar)
    book.place(sell(2, limit="110", **group))
    book.place(buy(3, limit="92"))
    late = replace(bars[1], low=Decimal(89))
    assert told(book.meet(late)) == ["3 fill 10 @ 92 maker fee 0"]
    assert [order.matched_through for order in book.orders] == [bars[2].start, late.start]


def test_cancel_ends_an_order_with_what_hangs_on_it() -> None:
    group, entry = {"group": GROUPS[0]}, UUID(int=1)
    one, other = buy(1, limit="50", **group), buy(2, stop="150", **group)
    leg, stranger = sell(3, stop="40", waits_for=entry), buy(4, limit="50")
    book = a_book(stranger, leg, other, one)
    assert book.cancel(one.id) == (one.id, other.id, leg.id)
    assert book.orders == (stranger,)
    assert book.cancel(one.id) == ()


def test_an_order_of_the_same_id_takes_the_place_of_the_one_before() -> None:
    book = a_book(buy(limit="50"))
    book.meet(a_bar())
    book.place(buy(limit="96", remaining="3"))
    assert told(book.meet(hourly("100 105 95 101", "100 105 95 101")[1])) == [
        "1 fill 3 @ 96 maker fee 0"
    ]
    assert not book.orders


@pytest.mark.parametrize("strange", [{"symbol": "AAPL"}, {"account": UUID(int=9)}])
def test_an_order_of_another_account_or_instrument_is_refused(strange: dict[str, Any]) -> None:
    book = a_book()
    with pytest.raises(MixedOrders):
        book.place(buy(**strange))


def test_a_bar_of_another_instrument_is_refused() -> None:
    with pytest.raises(MixedOrders):
        a_book().meet(a_bar(symbol="AAPL"))
