"""One intent from claim to answer: a transaction, the call outside of any, another transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DataError, IntegrityError, transaction
from django.db.models import F

from tenants import context
from tenants.context import Actor, Scope, TenantContext
from trading.brokers import actions as brokers
from trading.brokers import credentials
from trading.brokers.errors import CredentialsMissing
from trading.brokers.models import Account
from trading.errors import Refused
from trading.orders import halting, outbox, states
from trading.orders.models import Order, VenueIntent
from trading.orders.states import OrderStatus
from trading.values import OrderType, Side
from trading.venues import booking, calls, messages
from trading.venues.calls import STALE, Answer, Call, Outcome
from trading.venues.facts import Ticket, VenueTrade, client_id
from trading.venues.models import Reconciliation

VENUE = Actor.system("venue")
# A call that was given up may still arrive: as long as it can, nobody concludes that it did not.
SETTLING = timedelta(seconds=15)
LATER = timedelta(seconds=5)
BOOKS_REFUSED = "books_refused"
# What books can refuse, as at any fill.
REFUSALS = (DataError, IntegrityError, ArithmeticError, ValueError, Refused)
_log = logging.getLogger("bulkhead.venues")


def carry_out(tenant_id: UUID, intent_id: UUID, *, clock: Callable[[], datetime]) -> Outcome | None:
    """Tell the exchange what is intended, and book what it says; None when there is nothing to do.

    Safe to run twice and at the same time: an intent is claimed by one, and only while it is due.
    Raises TenantSuspended or UnknownTenant.
    """
    inside = TenantContext(tenant_id, VENUE, Scope.TENANT)
    with context.enter(inside):
        call = _claim(intent_id, now=clock())
    if call is None:
        return None
    answer = calls.make(call, now=clock())
    with context.enter(inside):
        _settle(call, answer, now=clock())
    return answer.outcome


def _claim(intent_id: UUID, *, now: datetime) -> Call | None:
    """Take a due intent, so that nobody else does; None where there is nothing to call about."""
    row = VenueIntent.objects.filter(pk=intent_id).due(now).values_list("account_id").first()
    if row is None:
        return None
    account = brokers.lock(row[0])
    claimed = {"state": VenueIntent.State.CALLING, "called_at": now, "attempts": F("attempts") + 1}
    if not VenueIntent.objects.filter(pk=intent_id).due(now).update(**claimed):
        return None
    intent = VenueIntent.objects.get(pk=intent_id)
    order = Order.objects.select_for_update().get(pk=intent.order_id)
    order.account = intent.account = account
    if order.status in states.FINAL:
        _close(intent, VenueIntent.State.ANSWERED, "", now)
        return None
    placed = VenueIntent.objects.get(order=order, kind=VenueIntent.Kind.PLACE)
    if intent.kind == VenueIntent.Kind.CANCEL and not placed.venue_order_id:
        _again(intent, VenueIntent.State.PENDING, "not_placed_yet", now, LATER)
        return None
    return _call(intent, order, placed, now)


def _call(intent: VenueIntent, order: Order, placed: VenueIntent, now: datetime) -> Call | None:
    """Without keys, or for an account halted before the first call, the answer is no already."""
    account, is_new = order.account, intent.kind == VenueIntent.Kind.PLACE and intent.attempts == 1
    if is_new and account.status != Account.Status.ACTIVE:
        _refused(intent, order, account.status_reason or "account_halted", now)
        return None
    try:
        keys = credentials.of(account)
    except CredentialsMissing:
        if is_new or intent.kind == VenueIntent.Kind.CANCEL:
            _refused(intent, order, CredentialsMissing.code, now)
        else:
            _again(intent, VenueIntent.State.UNKNOWN, CredentialsMissing.code, now, STALE)
        return None
    return Call(
        intent.id,
        intent.kind,
        intent.attempts,
        account.exchange,
        keys,
        ticket(order),
        placed.venue_order_id,
    )


def ticket(order: Order) -> Ticket:
    """A stored order in the words of an exchange."""
    return Ticket(
        order_id=order.id,
        client_id=client_id(order.id),
        symbol=order.instrument,
        side=Side(order.side),
        type=OrderType(order.type),
        quantity=order.quantity,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        time_in_force=order.time_in_force,
        post_only=order.post_only,
        created_at=order.created_at,
    )


def _settle(call: Call, answer: Answer, *, now: datetime) -> None:
    """Book the answer. Should the claim have passed to another meanwhile, facts still count."""
    intent = VenueIntent.objects.get(pk=call.intent_id)
    account = brokers.lock(intent.account_id)
    order = Order.objects.select_for_update().get(pk=intent.order_id)
    intent.refresh_from_db()
    order.account = intent.account = account
    _log.info("intent %s: %s %s", intent.id, answer.outcome.name.lower(), answer.code)
    if answer.outcome is Outcome.DONE:
        _done(intent, order, answer, now)
    elif intent.state != VenueIntent.State.CALLING or intent.attempts != call.attempts:
        return
    elif answer.outcome is Outcome.LATER:
        _later(intent, order, answer.code, now)
    elif answer.outcome is Outcome.UNKNOWN:
        _again(intent, VenueIntent.State.UNKNOWN, answer.code, now, SETTLING)
    else:
        if answer.outcome is Outcome.KEYS_REFUSED:
            brokers.halt(account_id=account.id, reason=credentials.REFUSED, now=now)
        if answer.outcome is Outcome.KEYS_REFUSED and call.attempts > 1:
            # An earlier call may have arrived: with other keys that will be seen.
            _again(intent, VenueIntent.State.UNKNOWN, answer.code, now, STALE)
            return
        _refused(intent, order, answer.code, now)


def _done(intent: VenueIntent, order: Order, answer: Answer, now: datetime) -> None:
    if intent.attempts > 1:
        # What nobody heard of at the time may have done more than was seen now.
        messages.compare(order.account_id, Reconciliation.Reason.UNKNOWN_INTENT)
    booking.accept(order, answer.venue_order_id, now=now)
    if intent.kind == VenueIntent.Kind.CANCEL:
        _close(intent, VenueIntent.State.ANSWERED, answer.code, now)
    if not book(order, answer.trades, now=now) or answer.order is None:
        return
    seen, order.status = answer.order, OrderStatus(order.status)
    if seen.is_ended and order.status not in states.FINAL and seen.filled <= order.filled_quantity:
        expired = seen.status == "expired"
        status = OrderStatus.EXPIRED if expired else OrderStatus.CANCELED
        booking.end(order, status, reason=f"{seen.status}_at_venue", now=now)


def book(order: Order, trades: tuple[VenueTrade, ...], *, now: datetime) -> bool:
    """Book an order's trades; False where the books refuse: then the account is halted."""
    try:
        with transaction.atomic():
            booked = [booking.fill(order, trade, now=now) for trade in trades]
    except REFUSALS as fault:
        # Not with its text, which may hold amounts.
        _log.error("account %s is halted: %s", order.account_id, type(fault).__name__)
        brokers.halt(account_id=order.account_id, reason=BOOKS_REFUSED, now=now)
        order.refresh_from_db()
        return False
    if any(booked):
        halting.look(order.account, now=now)
        order.refresh_from_db()
    return True


def _later(intent: VenueIntent, order: Order, code: str, now: datetime) -> None:
    """Wait a little and call again, unless it has been too long."""
    if intent.kind == VenueIntent.Kind.PLACE and now >= order.created_at + STALE:
        _refused(intent, order, "venue_unreachable", now)
        return
    # Nothing has happened: the next attempt counts as the first.
    intent.attempts = 0
    intent.save(update_fields=["attempts"])
    _again(intent, VenueIntent.State.PENDING, code, now, LATER)


def _refused(intent: VenueIntent, order: Order, code: str, now: datetime) -> None:
    """The exchange has not done it, and will not."""
    _close(intent, VenueIntent.State.FAILED, code, now)
    if intent.kind == VenueIntent.Kind.PLACE:
        booking.refuse(order, reason=code, now=now)
    elif order.status == OrderStatus.PENDING_CANCEL:
        booking.reopen(order, now=now)


def _close(intent: VenueIntent, state: str, code: str, now: datetime) -> None:
    intent.state, intent.last_error, intent.answered_at = state, code, now
    intent.save(update_fields=["state", "last_error", "answered_at"])


def _again(intent: VenueIntent, state: str, code: str, now: datetime, pause: timedelta) -> None:
    intent.state, intent.last_error, intent.due_at = state, code, now + pause
    intent.save(update_fields=["state", "last_error", "due_at"])
    if pause <= SETTLING:
        outbox.send(intent.id, after=pause)
