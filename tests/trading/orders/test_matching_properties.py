"""What holds for every stream of orders and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tests.trading.examples import MORNING, a_bar, an_order, terms
from trading.market.bars import Bar
from trading.orders import funds
from trading.orders.costs import Costs
from trading.orders.matching import match
from trading.orders.working import Execution, Terms, WorkingOrder
from trading.positions import pnl
from trading.values import OrderType, Side, TimeInForce, exact

prices = st.decimals("1", "200", places=2)
quantities = st.decimals("0.001", "50", places=3)
bps = st.integers(0, 100).map(Decimal)
costs = st.builds(Costs, maker_bps=bps, taker_bps=bps, slippage_bps=bps)


@st.composite
def bars(draw: st.DrawFn, hour: int = 0) -> Bar:
    low, first, last, high = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
    ends = draw(st.permutations([first, last]))
    volume = draw(st.sampled_from(["0", "3", "40.5", "500"]))
    numbers = " ".join(str(number) for number in (ends[0], high, low, ends[1]))
    return a_bar(numbers, volume=volume, start=MORNING + timedelta(hours=hour))


@st.composite
def orders(draw: st.DrawFn) -> list[WorkingOrder]:
    return [_order(draw, number) for number in range(1, draw(st.integers(1, 5)) + 1)]


def _order(draw: st.DrawFn, number: int) -> WorkingOrder:
    limit = draw(st.none() | prices)
    return an_order(
        number,
        side=draw(st.sampled_from(Side)),
        type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit_price=limit,
        remaining=draw(quantities),
        time_in_force=draw(st.sampled_from(["gtc", "ioc", "fok", "day"]).map(TimeInForce)),
        post_only=limit is not None and draw(st.booleans()),
        is_resting=draw(st.booleans()),
        spendable=draw(st.none() | st.decimals("0", "5000", places=2)),
    )


@given(orders(), bars(), costs, st.booleans())
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
    assert execution.is_complete == (execution.quantity == order.remaining)
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


@given(orders(), bars())
def test_an_account_takes_at_most_its_share_of_the_volume(
    book: list[WorkingOrder], bar: Bar
) -> None:
    taken = sum(execution.quantity for execution in match(book, bar, terms()).executions)
    assert not bar.volume or taken <= bar.volume / 10


@given(orders(), bars(), costs, st.data())
def test_a_replay_gives_the_same_bytes_however_the_orders_are_handed_in(
    book: list[WorkingOrder], bar: Bar, account_costs: Costs, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(book))
    on = terms(account_costs)
    assert repr(match(book, bar, on)) == repr(match(shuffled, bar, on))


@given(orders(), bars(), costs)
def test_an_ended_or_completed_order_is_named_once(
    book: list[WorkingOrder], bar: Bar, account_costs: Costs
) -> None:
    outcome = match(book, bar, terms(account_costs))
    done = [execution.order_id for execution in outcome.executions if execution.is_complete]
    ended = [expiration.order_id for expiration in outcome.expirations]
    assert len(done + ended) == len(set(done + ended))


@given(quantities, prices, st.lists(bars(), min_size=1, max_size=4), costs)
def test_what_a_limit_buy_locks_pays_for_all_of_its_fills(
    quantity: Decimal, limit: Decimal, history: list[Bar], account_costs: Costs
) -> None:
    fee_bps = max(account_costs.maker_bps, account_costs.taker_bps)
    locked = funds.limit_buy(quantity, limit, fee_bps)
    order = an_order(limit_price=limit, type=OrderType.LIMIT, remaining=quantity)
    fills = _lived_through([order], history, terms(account_costs))
    assert sum(fill.quantity * fill.price + fill.fee for fill in fills) <= locked


@given(st.lists(st.tuples(orders(), bars()), min_size=1, max_size=5), costs, prices)
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


def _lived_through(book: Sequence[WorkingOrder], history: list[Bar], on: Terms) -> list[Execution]:
    """Fills of orders that meet one bar after another, as the caller would carry them on."""
    open_orders = {order.id: order for order in book}
    fills: list[Execution] = []
    for hour, bar in enumerate(history):
        later = replace(bar, start=MORNING + timedelta(hours=hour))
        outcome = match(list(open_orders.values()), later, on)
        fills += outcome.executions
        open_orders = _carried_on(open_orders, outcome.executions)
    return fills


def _carried_on(
    book: dict[UUID, WorkingOrder], executions: tuple[Execution, ...]
) -> dict[UUID, WorkingOrder]:
    filled = {execution.order_id: execution.quantity for execution in executions}
    left = {key: order.remaining - filled.get(key, 0) for key, order in book.items()}
    return {
        key: replace(order, remaining=left[key], is_resting=True)
        for key, order in book.items()
        if left[key]
    }


def test_fills_of_partial_bars_add_up_to_the_order() -> None:
    history = [a_bar(volume="40")] * 3
    fills = _lived_through([an_order()], history, terms())
    assert [fill.quantity for fill in fills] == [4, 4, 2]
    assert [fill.is_complete for fill in fills] == [False, False, True]
