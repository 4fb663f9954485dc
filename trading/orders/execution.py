"""What a bar does to the books of the entered tenant: fills, balances, positions, ends."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from django.db import DataError, IntegrityError, transaction

from trading.brokers import actions as brokers
from trading.brokers.models import Account
from trading.market import queries as market
from trading.market.bars import Bar
from trading.market.models import Instrument
from trading.notifications import events
from trading.orders import actions, funds, matching, states
from trading.orders.costs import Costs, slipped
from trading.orders.models import Fill, Order
from trading.orders.states import OrderStatus
from trading.orders.working import Execution, Outcome, Terms, WorkingOrder
from trading.positions import actions as positions
from trading.positions import pnl
from trading.values import Increments, OrderType, Side, TimeInForce, exact, plain, round_up

_log = logging.getLogger("bulkhead.matching")
_PLACES = Decimal(1).scaleb(-18)


def match(bar: Bar, *, now: datetime) -> int:
    """Meet every open order of the entered tenant with one bar; gives the number of fills.

    Orders remember the newest bar they met: the same bar again changes nothing.
    """
    waiting = (
        Order.objects.open()
        .for_instrument(bar.symbol)
        .exclude(matched_through__gte=bar.start)
        .exclude(account__status=Account.Status.HALTED)
        .order_by("account_id", "created_at", "id")
    )
    pairs = groupby(waiting.values_list("account_id", "id"), key=lambda pair: pair[0])
    by_account: list[tuple[UUID, list[UUID]]] = [
        (account_id, [order_id for _, order_id in rows]) for account_id, rows in pairs
    ]
    if not by_account:
        return 0
    instrument = market.instrument(bar.symbol)
    return sum(
        _match_or_halt(account_id, order_ids, instrument, bar, now)
        for account_id, order_ids in by_account
    )


def _match_or_halt(
    account_id: UUID, order_ids: list[UUID], instrument: Instrument, bar: Bar, now: datetime
) -> int:
    """One account's part. Books that cannot take it halt this account, and nobody else's.

    What it had begun is undone; its orders stay open, and can be cancelled.
    """
    try:
        with transaction.atomic():
            return _match_account(brokers.lock(account_id), order_ids, instrument, bar, now)
    except (DataError, IntegrityError, ArithmeticError, ValueError):
        _log.exception("account %s is halted: bar %s %s", account_id, bar.symbol, bar.start)
        brokers.halt(account_id=account_id, reason="books_refused", now=now)
        return 0


@exact()
def _match_account(
    account: Account, order_ids: list[UUID], instrument: Instrument, bar: Bar, now: datetime
) -> int:
    """One account's open orders, under its lock, in the order of their arrival."""
    rows = Order.objects.select_for_update().open().filter(pk__in=order_ids)
    # Another feed may have brought them further while we waited for the lock.
    rows = rows.exclude(matched_through__gte=bar.start)
    orders = {order.id: order for order in rows.order_by("created_at", "id")}
    for order in orders.values():
        order.account = account
    terms = _terms(account, instrument)
    for order in orders.values():
        _top_up(order, bar, terms)
    outcome = matching.match(_working(orders.values()), bar, terms)
    _settle(outcome, orders, instrument, now)
    Order.objects.filter(pk__in=orders).update(matched_through=bar.start, is_resting=True)
    return len(outcome.executions)


def _top_up(order: Order, bar: Bar, terms: Terms) -> None:
    """Lock more for a market buy whose price ran away, as far as the account has free money."""
    if order.type != OrderType.MARKET or order.side != Side.BUY or order.notional is not None:
        return
    price = round_up(slipped(bar.open, Side.BUY, terms.costs), terms.increments.price)
    fee_bps = max(terms.costs.maker_bps, terms.costs.taker_bps)
    missing = funds.limit_buy(order.quantity - order.filled_quantity, price, fee_bps) - order.locked
    if missing <= 0:
        return
    balance = brokers.balance_of(order.account, order.locked_currency)
    extra = min(missing, balance.free)
    brokers.move(balance, free=-extra, locked=extra)
    order.locked += extra
    order.save(update_fields=["locked"])


def _settle(
    outcome: Outcome, orders: dict[UUID, Order], instrument: Instrument, now: datetime
) -> None:
    for execution in outcome.executions:
        _record(orders[execution.order_id], execution, instrument, now)
    for ended in outcome.expirations:
        order = orders[ended.order_id]
        actions.end(order, ended.status, reason=ended.reason.value, now=now)


@exact()
def _record(order: Order, execution: Execution, instrument: Instrument, now: datetime) -> None:
    """Book one execution: cash, position, order, and the fill that explains them."""
    _pay(order, execution, instrument)
    booked = pnl.HoldingFill(execution.side, execution.quantity, execution.price, execution.fee)
    position, realized = positions.apply(order.account, order.instrument, booked, now=now)
    fill = Fill(
        order=order,
        account=order.account,
        position=position,
        user_id=order.user_id,
        instrument=order.instrument,
        side=execution.side,
        quantity=execution.quantity,
        price=execution.price,
        fee=execution.fee,
        fee_currency=instrument.quote,
        realized_pnl=realized,
        liquidity=execution.liquidity,
        trade_id=f"{order.id}:{execution.source['bar']['start']}",  # type: ignore[index]
        executed_at=execution.executed_at,
        model=execution.model,
        source=execution.source,
    )
    fill.save(force_insert=True)
    _advance(order, execution, now)
    _tell(order, fill, now)


def _pay(order: Order, execution: Execution, instrument: Instrument) -> None:
    """Move the money: a buy out of what it locked, a sell's proceeds into the free part."""
    balance = brokers.balance_of(order.account, instrument.quote)
    value = execution.quantity * execution.price
    if execution.side is Side.BUY:
        order.locked -= value + execution.fee
        brokers.move(balance, locked=-(value + execution.fee))
    else:
        order.locked -= execution.quantity
        brokers.move(balance, free=value - execution.fee)


def _advance(order: Order, execution: Execution, now: datetime) -> None:
    """The order's own account of what has been filled; a complete one frees what is left over."""
    spent = (order.average_price or Decimal(0)) * order.filled_quantity
    order.filled_quantity += execution.quantity
    spent += execution.price * execution.quantity
    order.average_price = (spent / order.filled_quantity).quantize(_PLACES)
    order.fees += execution.fee
    order.status = states.after_fill(OrderStatus(order.status), is_complete=execution.is_complete)
    if execution.is_complete:
        actions.release(order, order.locked)
    order.updated_at = now
    order.save(
        update_fields=["filled_quantity", "average_price", "fees", "status", "locked", "updated_at"]
    )


def _working(orders: Iterable[Order]) -> list[WorkingOrder]:
    return [
        WorkingOrder(
            id=order.id,
            account=order.account_id,
            symbol=order.instrument,
            side=Side(order.side),
            type=OrderType(order.type),
            remaining=order.quantity - order.filled_quantity,
            sequence=place,
            limit_price=order.limit_price,
            time_in_force=TimeInForce(order.time_in_force),
            expires_at=order.expires_at,
            post_only=order.post_only,
            matched_through=order.matched_through,
            is_resting=order.is_resting,
            spendable=order.locked if order.side == Side.BUY else None,
        )
        for place, order in enumerate(orders)
    ]


def _terms(account: Account, instrument: Instrument) -> Terms:
    costs = Costs(
        maker_bps=account.maker_bps,
        taker_bps=account.taker_bps,
        slippage_bps=account.slippage_bps,
    )
    steps = Increments(instrument.price_increment, instrument.quantity_increment)
    return Terms(costs=costs, increments=steps)


def _tell(order: Order, fill: Fill, now: datetime) -> None:
    data = {
        "order": str(order.id),
        "fill": str(fill.id),
        "instrument": order.instrument,
        "quantity": plain(fill.quantity),
        "price": plain(fill.price),
        "status": order.status,
    }
    events.publish(user_id=order.user_id, kind=f"order.{order.status}", data=data, now=now)
