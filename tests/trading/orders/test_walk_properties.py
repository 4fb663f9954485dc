"""What holds for orders that live through several bars."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tests.trading.examples import an_order, terms
from tests.trading.orders import drawn
from tests.trading.orders.told import bars
from trading.market.bars import Bar
from trading.orders import funds, trailing
from trading.orders.costs import Costs
from trading.orders.matching import Step, match_path, walk
from trading.orders.outcomes import Outcome
from trading.orders.working import WorkingOrder
from trading.values import OrderType, Side

ENTRY = UUID(int=1)


@given(drawn.books(), drawn.histories(), drawn.costs)
def test_no_order_is_ever_filled_beyond_its_quantity(
    book: list[WorkingOrder], history: list[Bar], costs: Costs
) -> None:
    filled = dict.fromkeys((order.id for order in book), Decimal(0))
    for execution in match_path(book, history, terms(costs)).executions:
        filled[execution.order_id] += execution.quantity
    assert all(filled[order.id] <= order.remaining for order in book)


@given(drawn.groups(), drawn.histories(), drawn.costs)
def test_a_group_never_fills_more_than_its_quantity(
    siblings: list[WorkingOrder], history: list[Bar], costs: Costs
) -> None:
    total, steps = siblings[0].remaining, list(walk(siblings, history, terms(costs)))
    filled = Decimal(0)
    for done in steps:
        filled += sum(execution.quantity for execution in done.outcome.executions)
        assert filled <= total
        # Those that are left all have what is left of the whole.
        assert {order.remaining for order in done.orders} <= {total - filled}
    assert filled < total or not steps[-1].orders


@given(
    st.sampled_from(Side),
    st.sampled_from(["trail_amount", "trail_percent"]),
    drawn.trails,
    drawn.histories(),
)
def test_a_trailing_level_never_moves_back(
    side: Side, name: str, trail: Decimal, history: list[Bar]
) -> None:
    order = an_order(type=OrderType.TRAILING_STOP, side=side, **{name: trail})
    levels = []
    for done in walk([order], history, terms()):
        levels += [_level(kept) for kept in done.orders if not kept.is_triggered]
        levels += [
            Decimal(_trigger(done)) for _ in done.outcome.triggers if done.outcome.executions
        ]
    assert levels == sorted(levels, reverse=side is Side.BUY)


def _level(order: WorkingOrder) -> Decimal:
    assert order.water_mark is not None
    return trailing.level_of(order, order.water_mark, terms())


def _trigger(done: Step) -> str:
    (execution,) = done.outcome.executions
    return execution.source["trigger"]["level"]


@given(drawn.books(), drawn.histories(), drawn.costs, st.integers(0, 5))
def test_a_history_met_in_two_calls_is_met_as_in_one(
    book: list[WorkingOrder], history: list[Bar], costs: Costs, cut: int
) -> None:
    on = terms(costs)
    steps = list(walk(book, history[:cut], on))
    first, carried = Outcome(), tuple(book)
    for done in steps:
        first, carried = first.then(done.outcome), done.orders
    second = match_path(carried, history[cut:], on)
    assert repr(first.then(second)) == repr(match_path(book, history, on))


@given(drawn.books(), drawn.histories(), drawn.costs)
def test_a_whole_history_again_changes_nothing(
    book: list[WorkingOrder], history: list[Bar], costs: Costs
) -> None:
    steps = list(walk(book, history, terms(costs)))
    again = list(walk(steps[-1].orders, history, terms(costs)))
    assert again[-1].orders == steps[-1].orders
    assert not any(done.outcome.executions for done in again)


@given(drawn.books(), drawn.histories(), st.randoms())
def test_bars_are_met_in_the_order_of_time(
    book: list[WorkingOrder], history: list[Bar], random: object
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    assert match_path(book, shuffled, terms()) == match_path(book, history, terms())


@given(drawn.books(), drawn.quantities, drawn.histories())
def test_reduce_only_sells_never_turn_the_position_around(
    book: list[WorkingOrder], position: Decimal, history: list[Bar]
) -> None:
    book = [
        replace(order, reducible=position if order.side is Side.SELL else None) for order in book
    ]
    for execution in match_path(book, history, terms()).executions:
        position += execution.quantity if execution.side is Side.BUY else -execution.quantity
        assert position >= 0


@given(drawn.books(alone=True), drawn.groups(), drawn.histories())
def test_legs_fill_only_after_their_entry_is_complete(
    book: list[WorkingOrder], siblings: list[WorkingOrder], history: list[Bar]
) -> None:
    legs = [
        replace(
            leg, id=UUID(int=100 + leg.id.int), sequence=100, waits_for=ENTRY, is_triggered=False
        )
        for leg in siblings
    ]
    completed = False
    for done in walk([*book, *legs], history, terms()):
        filled = {execution.order_id for execution in done.outcome.executions}
        assert completed or not filled & {leg.id for leg in legs}
        completed = completed or ENTRY in done.outcome.completed
        is_gone = ENTRY not in {order.id for order in done.orders} and not completed
        assert not is_gone or not {order.id for order in done.orders} & {leg.id for leg in legs}


@given(drawn.quantities, drawn.prices, drawn.histories(), drawn.costs)
def test_what_a_limit_buy_locks_pays_for_all_of_its_fills(
    quantity: Decimal, limit: Decimal, history: list[Bar], costs: Costs
) -> None:
    locked = funds.limit_buy(quantity, limit, max(costs.maker_bps, costs.taker_bps))
    order = an_order(limit_price=limit, type=OrderType.LIMIT, remaining=quantity)
    fills = match_path([order], history, terms(costs)).executions
    assert sum(fill.quantity * fill.price + fill.fee for fill in fills) <= locked


def test_fills_of_partial_bars_add_up_to_the_order() -> None:
    history = bars(*["100 105 95 101 40"] * 3)
    fills = match_path([an_order()], history, terms()).executions
    assert [fill.quantity for fill in fills] == [4, 4, 2]
    assert [fill.is_complete for fill in fills] == [False, False, True]
