"""What holds for every book of orders and every bar."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.trading.examples import FREE, terms
from tests.trading.orders import drawn
from trading.market.bars import Bar
from trading.orders import path
from trading.orders.costs import Costs
from trading.orders.matching import match, step
from trading.orders.outcomes import Execution
from trading.orders.working import WorkingOrder
from trading.positions import pnl
from trading.values import Liquidity, OrderType, Side, TimeInForce, exact

# Prices are drawn up to 200, so that both a price and its mirror image are positive.
MIRROR = Decimal(300)


@given(drawn.books(), drawn.bars(), drawn.costs, st.booleans())
def test_a_fill_keeps_to_the_order(
    book: list[WorkingOrder], bar: Bar, account_costs: Costs, touch: bool
) -> None:
    by_id = {order.id: order for order in book}
    outcome = match(book, bar, terms(account_costs, touch=touch))
    assert len({execution.order_id for execution in outcome.executions}) == len(outcome.executions)
    for execution in outcome.executions:
        _check_fill(by_id[execution.order_id], execution)


def _check_fill(order: WorkingOrder, execution: Execution) -> None:
    assert 0 < execution.quantity <= order.remaining
    assert not execution.is_complete or order.group or execution.quantity == order.remaining
    assert execution.price > 0
    assert execution.fee >= 0
    if order.limit_price is not None and order.side is Side.BUY:
        assert execution.price <= order.limit_price
    if order.limit_price is not None and order.side is Side.SELL:
        assert execution.price >= order.limit_price
    if order.side is Side.BUY and order.spendable is not None:
        assert execution.quantity * execution.price + execution.fee <= order.spendable
    if order.time_in_force is TimeInForce.FOK:
        assert execution.is_complete
    if order.post_only:
        assert execution.liquidity is Liquidity.MAKER


@given(drawn.books(), drawn.bars())
def test_a_stop_never_fills_better_than_its_price(book: list[WorkingOrder], bar: Bar) -> None:
    by_id = {order.id: order for order in book}
    for execution in match(book, bar, terms()).executions:
        order = by_id[execution.order_id]
        if order.type is OrderType.STOP and not order.is_triggered:
            assert order.stop_price is not None
            worse = execution.price - order.stop_price
            assert worse >= 0 if order.side is Side.BUY else worse <= 0


@given(drawn.books(), drawn.bars())
def test_an_account_takes_at_most_its_share_of_the_volume(
    book: list[WorkingOrder], bar: Bar
) -> None:
    taken = sum(execution.quantity for execution in match(book, bar, terms()).executions)
    assert not bar.volume or taken <= bar.volume / 10


@given(drawn.books(), drawn.bars(), drawn.costs, st.data())
def test_a_replay_gives_the_same_bytes_however_the_orders_are_handed_in(
    book: list[WorkingOrder], bar: Bar, account_costs: Costs, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(book))
    on = terms(account_costs)
    assert repr(step(book, bar, on)) == repr(step(shuffled, bar, on))


@given(drawn.books(), drawn.bars(), drawn.costs)
def test_every_order_is_complete_ended_or_left_open(
    book: list[WorkingOrder], bar: Bar, account_costs: Costs
) -> None:
    done = step(book, bar, terms(account_costs))
    gone = [execution.order_id for execution in done.outcome.executions if execution.is_complete]
    gone += [expiration.order_id for expiration in done.outcome.expirations]
    assert sorted([*gone, *(order.id for order in done.orders)]) == [order.id for order in book]


@given(drawn.books(), drawn.bars(), drawn.costs)
def test_the_same_bar_again_changes_nothing(
    book: list[WorkingOrder], bar: Bar, account_costs: Costs
) -> None:
    done = step(book, bar, terms(account_costs))
    again = step(done.orders, bar, terms(account_costs))
    assert again.orders == done.orders
    assert not again.outcome.executions


@given(drawn.books(alone=True), drawn.bars(), drawn.costs, st.integers(0, 6))
def test_a_book_met_in_two_calls_is_met_as_in_one(
    book: list[WorkingOrder], bar: Bar, account_costs: Costs, cut: int
) -> None:
    on = terms(account_costs)
    first = match(book[:cut], bar, on)
    taken = sum((execution.quantity for execution in first.executions), Decimal(0))
    second = match(book[cut:], bar, on, taken=taken)
    assert repr(first.then(second)) == repr(match(book, bar, on))


@given(drawn.groups(), drawn.bars())
def test_a_limit_never_fills_beside_a_stop_that_is_triggered_and_filled_inside_the_bar(
    book: list[WorkingOrder], bar: Bar
) -> None:
    kinds = {order.id: order.type for order in book}
    inside = [fill for fill in match(book, bar, terms()).executions if fill.executed_at == bar.end]
    filled = {kinds[fill.order_id] for fill in inside}
    assert OrderType.LIMIT not in filled or len(filled) == 1


@given(drawn.books(), drawn.bars(), st.booleans())
def test_sells_mirror_buys(book: list[WorkingOrder], bar: Bar, touch: bool) -> None:
    assume(bar.open - bar.low != bar.high - bar.open)  # there the low comes first, mirrored or not
    book = [replace(order, spendable=None) for order in book if order.trail_percent is None]
    on = terms(FREE, touch=touch)
    there, mirrored = match(book, bar, on), match(_mirrored(book), _image(bar), on)
    assert [(f.order_id, f.quantity, f.price, f.liquidity) for f in there.executions] == [
        (f.order_id, f.quantity, MIRROR - f.price, f.liquidity) for f in mirrored.executions
    ]
    assert (there.triggers, there.expirations) == (mirrored.triggers, mirrored.expirations)
    marks = [(mark.order_id, MIRROR - mark.price) for mark in mirrored.water_marks]
    assert [(mark.order_id, mark.price) for mark in there.water_marks] == marks


def _mirrored(book: list[WorkingOrder]) -> list[WorkingOrder]:
    """The other side of every order, at prices as far below the middle as they were above."""
    names = ("limit_price", "stop_price", "water_mark")
    images = []
    for order in book:
        known = {name: getattr(order, name) for name in names}
        prices = {name: MIRROR - price for name, price in known.items() if price is not None}
        side = Side.SELL if order.side is Side.BUY else Side.BUY
        images.append(replace(order, side=side, **prices))
    return images


def _image(bar: Bar) -> Bar:
    low, high = MIRROR - bar.high, MIRROR - bar.low
    return replace(bar, open=MIRROR - bar.open, high=high, low=low, close=MIRROR - bar.close)


@given(drawn.bars())
def test_a_path_touches_both_extremes_and_takes_no_detour(bar: Bar) -> None:
    points = path.of(bar).points
    assert (points[0], points[-1]) == (bar.open, bar.close)
    assert {bar.high, bar.low} == {max(points), min(points)}
    assert abs(points[1] - points[0]) <= abs(points[2] - points[0])


@given(
    st.lists(st.tuples(drawn.books(), drawn.bars()), min_size=1, max_size=5),
    drawn.costs,
    drawn.prices,
)
def test_no_money_is_made_or_lost_on_the_way(
    stream: list[tuple[list[WorkingOrder], Bar]], account_costs: Costs, last: Decimal
) -> None:
    """Equity = what was put in + realised + unrealised - fees, to the last digit."""
    cash, holding = Decimal(1_000_000), pnl.Holding()
    for book, bar in stream:
        for fill in match(_sellable(book, holding), bar, terms(account_costs)).executions:
            sign = 1 if fill.side is Side.SELL else -1
            cash += sign * fill.quantity * fill.price - fill.fee
            done = pnl.HoldingFill(fill.side, fill.quantity, fill.price, fill.fee)
            holding = pnl.apply(holding, done)
    unrealized = pnl.unrealized(holding, last)
    assert unrealized is not None
    with exact():
        equity = cash + holding.quantity * last
        assert equity == 1_000_000 + holding.realized_pnl + unrealized - holding.fees


def _sellable(book: list[WorkingOrder], holding: pnl.Holding) -> list[WorkingOrder]:
    """Buys, and as many of the sells as the holding covers before any of the buys."""
    left, kept = holding.quantity, []
    for order in book:
        if order.side is Side.BUY or order.remaining <= left:
            kept.append(order)
            left -= order.remaining if order.side is Side.SELL else 0
    return kept
