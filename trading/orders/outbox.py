"""What exchanges are to be told: kept with the order, carried out once that is committed."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from celery import current_app

from accounts.audit import actions as audit
from tenants import afterwards, context
from trading.brokers.errors import CredentialsMissing
from trading.brokers.models import Account
from trading.orders import endings, states
from trading.orders.errors import UnsupportedOrder
from trading.orders.instructions import Instruction
from trading.orders.models import Order, VenueIntent
from trading.orders.outcomes import EndReason
from trading.orders.states import OrderStatus
from trading.values import OrderType, TimeInForce

# By name: the room that calls exchanges stands above this one.
CARRY_OUT = "trading.venues.tasks.carry_out"
_TYPES = frozenset(OrderType) - {OrderType.TRAILING_STOP}
_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
# Why an order is taken back that has had its time.
_LATE = frozenset({EndReason.SESSION_ENDED.value, EndReason.EXPIRES_AT_REACHED.value})
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})


def check(asked: Instruction, account: Account) -> None:
    """Raises UnsupportedOrder for what no exchange is asked, and CredentialsMissing."""
    if asked.type not in _TYPES:
        raise UnsupportedOrder("An exchange takes no trailing stops from here: place a stop.")
    if asked.has_legs or asked.is_oco:
        raise UnsupportedOrder("At an exchange, orders have no legs: place each by itself.")
    if asked.type in _STOPS and asked.time_in_force in _AT_ONCE:
        raise UnsupportedOrder("A stop waits at the exchange; ioc and fok do not.")
    if not account.credentials.exists():
        raise CredentialsMissing


def place(order: Order, *, now: datetime) -> None:
    """Have a new order, as saved in this transaction, brought to its exchange."""
    _write(order, VenueIntent.Kind.PLACE, now)


def cancel(order: Order, *, reason: str, now: datetime) -> None:
    """Have a locked order taken back at its exchange; one that was never sent ends at once."""
    if order.status == OrderStatus.PENDING_CANCEL:
        return
    if _unsent(order, now):
        ended = end_of(reason)
        _, was = endings.end(order, ended, reason=reason, now=now, after=None)
        before, after = {"status": was.value}, {"reason": reason}
        audit.record(f"order.{ended.value}", on=order, before=before, after=after)
        return
    order.status = states.step(OrderStatus(order.status), OrderStatus.PENDING_CANCEL)
    order.status_reason, order.updated_at = reason, now
    order.save(update_fields=["status", "status_reason", "updated_at"])
    _write(order, VenueIntent.Kind.CANCEL, now)
    audit.record("order.pending_cancel", on=order, after={"reason": reason})
    endings.tell(order, "order.pending_cancel", now)


def expire(order: Order, *, now: datetime) -> None:
    """Have a locked order taken back whose time has come.

    Exchanges know neither days nor dates, or each in its own way: they are told to keep orders
    until canceled, and our own clock cancels.
    """
    is_day = order.time_in_force == TimeInForce.DAY
    reason = EndReason.SESSION_ENDED if is_day else EndReason.EXPIRES_AT_REACHED
    cancel(order, reason=reason.value, now=now)


def end_of(reason: str) -> OrderStatus:
    """What an order becomes that was taken back for a reason."""
    return OrderStatus.EXPIRED if reason in _LATE else OrderStatus.CANCELED


def send(intent_id: UUID, *, after: timedelta = timedelta(0)) -> None:
    """Have an intent carried out once this is committed; should that be lost, a timer finds it."""
    tenant_id = context.require().tenant_id
    afterwards.do(partial(_send, tenant_id, intent_id, after))


def _write(order: Order, kind: str, now: datetime) -> None:
    intent = VenueIntent(
        account=order.account,
        order=order,
        user_id=order.user_id,
        kind=kind,
        due_at=now,
        created_at=now,
    )
    intent.save(force_insert=True)
    send(intent.id)


def _unsent(order: Order, now: datetime) -> bool:
    """Whether nobody has begun to place it; then nobody will. Rivals wait for the row's lock."""
    waiting = VenueIntent.objects.filter(order=order, kind=VenueIntent.Kind.PLACE, attempts=0)
    withdrawn = {"state": VenueIntent.State.FAILED, "last_error": "canceled", "answered_at": now}
    return bool(waiting.filter(state=VenueIntent.State.PENDING).update(**withdrawn))


def _send(tenant_id: UUID, intent_id: UUID, after: timedelta) -> None:
    names = [str(tenant_id), str(intent_id)]
    current_app.send_task(CARRY_OUT, args=names, countdown=after.total_seconds() or None)
