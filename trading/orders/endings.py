"""How orders end, and give back what they held: steps of actions and of matching."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from trading.brokers import actions as brokers
from trading.market.places import Place
from trading.notifications import events
from trading.orders import index, states
from trading.orders.models import Order
from trading.orders.outcomes import EndReason
from trading.orders.states import OrderStatus
from trading.orders.time_in_force import LATE
from trading.positions import actions as positions
from trading.values import Side, TimeInForce, exact, plain

_ENDED = ("status", "ended_after", "ended_trade", "locked", "updated_at")


class Ended(NamedTuple):
    """An order at its end, and what it was before."""

    order: Order
    was: OrderStatus

    @property
    def action(self) -> str:
        """What the trail calls it."""
        return f"order.{self.order.status}"

    @property
    def said(self) -> dict[str, object]:
        """What the trail says of it."""
        return {
            "status": self.order.status,
            "reason": self.order.status_reason,
            "filled_quantity": self.order.filled_quantity,
        }


def end(
    order: Order,
    status: OrderStatus,
    *,
    reason: str,
    now: datetime,
    after: Place | None,
) -> Ended:
    """Bring a locked order to its end, and free what it still held.

    `after` is the place of the newest that it met, or None where there was nothing yet.
    """
    was = OrderStatus(order.status)
    order.status = states.step(was, status)
    order.status_reason = reason
    order.place_ended = after
    release(order, order.locked, now=now)
    order.updated_at = now
    order.save(update_fields=["status_reason", *_ENDED])
    if order.account.is_paper:
        index.forget(order.instrument, [index.entry(order.account_id, order.id)])
    tell(order, f"order.{status.value}", now)
    return Ended(order, was)


def end_all(
    order: Order,
    status: OrderStatus,
    *,
    reason: str,
    now: datetime,
    after: Place | None,
) -> list[Ended]:
    """End an order with what hangs on it: its group, and the legs that wait for it.

    Gives all that ended, the order first.
    """
    all_ended = [end(order, status, reason=reason, now=now, after=after)]
    for other in _hanging_on(order):
        other.account = order.account
        is_leg = other.group != order.group
        why = EndReason.ENTRY_NOT_FILLED.value if is_leg else reason
        ended = OrderStatus.CANCELED if is_leg else status
        all_ended.append(end(other, ended, reason=why, now=now, after=after))
    return all_ended


def expire(order: Order, *, now: datetime, after: Place | None) -> list[Ended]:
    """End an order whose time is over, with what hangs on it."""
    late = LATE[TimeInForce(order.time_in_force)]
    return end_all(order, late.status, reason=late.value, now=now, after=after)


def replaced(order: Order, *, now: datetime, after: Place | None) -> Decimal:
    """End an order in favour of another; gives what it held for its group, which stays locked."""
    pending = states.step(OrderStatus(order.status), OrderStatus.PENDING_REPLACE)
    order.status = states.step(pending, OrderStatus.REPLACED)
    order.place_ended = after
    if order.group is None:
        release(order, order.locked, now=now)
    held: Decimal = order.locked
    order.locked = Decimal(0)
    order.updated_at = now
    order.save(update_fields=_ENDED)
    index.forget(order.instrument, [index.entry(order.account_id, order.id)])
    tell(order, "order.replaced", now)
    return held


@exact()
def release(order: Order, amount: Decimal, *, now: datetime) -> None:
    """Give back part of what an order locked: money for a buy, quantity for a sell."""
    order.locked -= amount
    if not amount:
        return
    if order.side == Side.BUY:
        balance = brokers.balance_of(order.account, order.locked_currency)
        brokers.move(balance, free=amount, locked=-amount, now=now)
    else:
        positions.unlock(order.account, order.instrument, amount)


def tell(order: Order, kind: str, now: datetime, **more: str) -> None:
    """The person's event: what became of the order."""
    data = {
        "order": str(order.id),
        "account": str(order.account_id),
        "instrument": order.instrument,
        "side": order.side,
        "type": order.type,
        "status": order.status,
        "status_reason": order.status_reason,
        "client_order_id": order.client_order_id,
        "quantity": plain(order.quantity),
        "filled_quantity": plain(order.filled_quantity),
        **more,
    }
    events.publish(user_id=order.user_id, kind=kind, data=data, now=now)


def _hanging_on(order: Order) -> list[Order]:
    """The open orders of its group, and the legs of an entry, locked."""
    hanging: dict[UUID, Order] = {}
    rows = Order.objects.select_for_update().open().exclude(pk=order.pk).order_by("id")
    if order.group is not None:
        hanging |= {row.id: row for row in rows.filter(group=order.group)}
    if order.role == Order.Role.ENTRY:
        hanging |= {row.id: row for row in rows.filter(parent=order)}
    return list(hanging.values())
