"""What the market does to the books of the entered tenant: fills, balances, positions, ends."""

from __future__ import annotations

import dataclasses
import logging
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, OperationalError, transaction
from django.db.models import Q

from trading.brokers import actions as brokers
from trading.brokers.models import Account
from trading.errors import Refused
from trading.market import queries as market
from trading.market.bars import Bar
from trading.market.models import Instrument
from trading.market.places import Place
from trading.market.ticks import Tick
from trading.orders import (
    cover,
    days,
    endings,
    executed,
    index,
    levels,
    limits,
    matching,
    missed,
    states,
    working_orders,
)
from trading.orders.executed import Orders
from trading.orders.models import Order
from trading.orders.outcomes import Outcome
from trading.orders.states import OrderStatus
from trading.orders.working import WorkingOrder
from trading.positions import actions as positions
from trading.values import exact, plain

_log = logging.getLogger("bulkhead.matching")


def meet(account_id: UUID, printed: Bar | Tick, *, now: datetime) -> int:
    """Have one account of the entered tenant meet a bar or tick; gives the number of fills.

    What was met before changes nothing.
    """
    return meet_locked(brokers.lock(account_id), printed, now=now)


def meet_locked(account: Account, printed: Bar | Tick, *, now: datetime) -> int:
    """The same with the account's lock held.

    Books that cannot take what it does halt this account, and nobody else's: what was begun is
    undone, and its orders stand still where they are until they are cancelled.
    """
    try:
        with transaction.atomic():
            return _meet(account, printed, now)
    except OperationalError:
        raise  # the database is away, or too busy: the same is met again
    except (DatabaseError, ArithmeticError, ValueError, Refused):
        _log.exception(
            "account %s is halted by %s %s", account.id, printed.symbol, printed.place.key
        )
        brokers.halt(account_id=account.id, reason="books_refused", now=now)
        account.refresh_from_db(fields=["status", "status_reason"])
        return 0


def _meet(account: Account, printed: Bar | Tick, now: datetime) -> int:
    """The locked account's part of a bar or tick, and its limits after it."""
    fills = _match(account, printed, now)
    if fills:
        _halt_if_reached(account, printed, now)
    return fills


@exact()
def _match(account: Account, printed: Bar | Tick, now: datetime) -> int:
    """The account's orders that it touches, in the order of their arrival.

    None of an account at an exchange: its orders are filled there.
    """
    if account.status != Account.Status.ACTIVE or not account.is_paper:
        return 0
    orders = _touched(account, printed)
    if not orders:
        return 0
    instrument = market.instrument(printed.symbol)
    terms = working_orders.terms(account, instrument)
    working = [
        _covered(orders[order.id], order, printed, now)
        for order in working_orders.of(orders.values(), instrument)
    ]
    ends_at = days.session_end(working, instrument, printed)
    outcome = matching.match(working, printed, terms, session_ends_at=ends_at)
    _apply(outcome, orders, instrument, printed, now)
    _note_met(outcome, orders, printed)
    return len(outcome.executions)


def _touched(account: Account, printed: Bar | Tick) -> Orders:
    """Locked: what it can change, and what hangs on that, be it a group or waiting legs."""
    rows = Order.objects.open().filter(account=account).for_instrument(printed.symbol)
    touched = list(
        rows.exclude(status=OrderStatus.INITIALIZED)
        .yet_to_meet(printed.place)
        .touched_by(printed)
        .values_list("id", "group", "role")
    )
    if not touched:
        return {}
    groups = {group for _, group, _ in touched if group is not None}
    entries = {order_id for order_id, _, role in touched if role == Order.Role.ENTRY}
    wanted = Q(pk__in=[order_id for order_id, _, _ in touched])
    wanted |= Q(group__in=groups) | Q(parent__in=entries)
    locked = rows.select_for_update().filter(wanted).order_by("created_at", "id")
    orders = {order.id: order for order in locked}
    for order in orders.values():
        order.account = account
    return orders


def _covered(
    order: Order, working: WorkingOrder, printed: Bar | Tick, now: datetime
) -> WorkingOrder:
    """The order with what it may spend: no bound where what is locked is enough by now.

    For a buy without a limit whose price ran away more is locked, as far as the account has it.
    """
    if working.terms is None or order.notional is not None:
        return working
    needed = cover.needed(working, printed, working.terms)
    if needed is None:
        return working
    if needed > order.locked:
        balance = brokers.balance_of(order.account, order.locked_currency)
        extra = min(needed - order.locked, balance.free)
        brokers.move(balance, free=-extra, locked=extra, now=now)
        order.locked += extra
        if extra:
            order.top_ups.append([printed.place.key, plain(extra)])
        order.save(update_fields=["locked", "top_ups"])
    return dataclasses.replace(working, spendable=None if needed <= order.locked else order.locked)


def _apply(
    outcome: Outcome, orders: Orders, instrument: Instrument, printed: Bar | Tick, now: datetime
) -> None:
    """In the order of the outcome's fields, in which it happened."""
    for trigger in outcome.triggers:
        _trigger(orders[trigger.order_id])
    for execution in outcome.executions:
        executed.book(orders[execution.order_id], execution, orders, instrument, now)
    for shrink in outcome.shrinks:
        orders[shrink.order_id].sibling_filled += shrink.by
    for ended in outcome.expirations:
        order = orders[ended.order_id]
        endings.end(order, ended.status, reason=ended.reason.value, now=now, after=printed.place)
    for mark in outcome.water_marks:
        orders[mark.order_id].water_mark = mark.price
    for deadline in outcome.deadlines:
        orders[deadline.order_id].expires_at = deadline.at
    for activation in outcome.activations:
        _activate(orders[activation.order_id], orders, printed, now)


def _note_met(outcome: Outcome, orders: Orders, printed: Bar | Tick) -> None:
    """Keep what the open orders have become, and where in the index they wait from now on."""
    waiting = {}
    for order in orders.values():
        if order.status == OrderStatus.INITIALIZED or order.status not in states.OPEN:
            continue
        is_new = order.id in {activation.order_id for activation in outcome.activations}
        order.place_met, order.is_resting = printed.place, not is_new
        order.save(update_fields=_MOVED)
        entry = index.entry(order.account_id, order.id)
        waiting[entry] = levels.of(working_orders.waiting(order))
    index.move(printed.symbol, waiting)
    done = [o for o in orders.values() if o.status == OrderStatus.FILLED]
    index.forget(printed.symbol, [index.entry(o.account_id, o.id) for o in done])


_MOVED = (
    "matched_through",
    "matched_trade",
    "is_resting",
    "is_triggered",
    "status",
    "sibling_filled",
    "water_mark",
    "expires_at",
)


def _trigger(order: Order) -> None:
    order.is_triggered = True
    order.status = states.step(OrderStatus(order.status), OrderStatus.TRIGGERED)


def _activate(leg: Order, orders: Orders, printed: Bar | Tick, now: datetime) -> None:
    """A leg enters the market as if placed right after; the first locks for its group.

    What other orders have set aside of the position meanwhile is not the legs' to sell.
    """
    leg.place_known = printed.place
    holder = executed.holder_of(leg, orders)
    if holder is leg:
        free = positions.free_quantity(leg.account, leg.instrument)
        if not free:
            leg.save(update_fields=["placed_after", "placed_trade"])
            ended = OrderStatus.CANCELED
            endings.end(leg, ended, reason="insufficient_position", now=now, after=printed.place)
            return
        leg.quantity = leg.locked = min(leg.quantity, free)
        positions.lock_quantity(leg.account, leg.instrument, leg.locked)
    else:
        leg.quantity = holder.quantity
    submitted = states.step(OrderStatus(leg.status), OrderStatus.SUBMITTED)
    leg.status = states.step(submitted, OrderStatus.ACCEPTED)
    leg.updated_at = now
    leg.save(update_fields=_STARTED)
    endings.tell(leg, "order.accepted", now)


_STARTED = ("quantity", "placed_after", "placed_trade", "locked", "updated_at")


def _halt_if_reached(account: Account, printed: Bar | Tick, now: datetime) -> None:
    """An account that has lost enough: halted, and nothing of it stays in the market."""
    reached = limits.reached_by(account, now=now)
    if reached is None:
        return
    rows = Order.objects.open().filter(account=account)
    for symbol in sorted(set(rows.values_list("instrument", flat=True))):
        is_here = symbol == printed.symbol
        after = printed.place if is_here else _catch_up_elsewhere(account, symbol, now)
        for order in rows.for_instrument(symbol).select_for_update().order_by("id"):
            order.account = account
            ended = OrderStatus.CANCELED
            endings.end(order, ended, reason=reached.value, now=now, after=after)
    brokers.halt(account_id=account.id, reason=reached.value, now=now)
    account.refresh_from_db(fields=["status", "status_reason"])


def _catch_up_elsewhere(account: Account, symbol: str, now: datetime) -> Place | None:
    """What it has not met yet of another instrument, which can halt it no further."""
    tip = market.tip(symbol)
    for printed in missed.unmet(account, symbol, tip, now=now):
        _match(account, printed, now)
    return tip.place
