"""The instruction for an order that takes the place of another."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from django.db.models import Q

from trading.orders.errors import NotReplaceable
from trading.orders.instructions import Change, Instruction, StopLoss
from trading.orders.models import Order
from trading.values import OrderType, Side, TimeInForce


def asked(old: Order, change: Change) -> Instruction:
    """The instruction for what replaces `old`. Raises NotReplaceable for what cannot change."""
    if change.quantity is not None and old.group is not None:
        raise NotReplaceable("The orders of a group share one quantity.")
    if old.notional is not None and change.quantity is None:
        raise NotReplaceable("An order by notional is replaced with a quantity.")
    named = {f.name: getattr(change, f.name) for f in fields(Change)}
    kept: dict[str, Any] = {
        name: getattr(old, name) if value is None else value for name, value in named.items()
    }
    kept["quantity"] = change.quantity or old.remaining
    if change.trail_amount is not None or change.trail_percent is not None:
        kept["trail_amount"], kept["trail_percent"] = change.trail_amount, change.trail_percent
    kept["time_in_force"] = TimeInForce(kept["time_in_force"])
    if kept["time_in_force"] is not TimeInForce.GTD:
        kept["expires_at"] = None
    return Instruction(
        account_id=old.account_id,
        instrument=old.instrument,
        side=Side(old.side),
        type=OrderType(old.type),
        post_only=old.post_only,
        reduce_only=old.reduce_only,
        **{**kept, "client_order_id": change.client_order_id},
    )


def with_exits(old: Order, new: Instruction) -> Instruction:
    """What is to take the place of `old`, with the exits that it has, or is one of."""
    if old.role == Order.Role.NONE:
        return new
    kin = Q(parent=old) if old.group is None else Q(parent=old) | Q(group=old.group)
    others = {row.role: row for row in Order.objects.open().filter(kin).exclude(pk=old.pk)}
    profit = others.get(Order.Role.TAKE_PROFIT)
    stop = others.get(Order.Role.STOP_LOSS)
    above = None if profit is None else profit.limit_price
    below = None if stop is None else _stop_loss(stop)
    if old.role == Order.Role.TAKE_PROFIT:
        return replace(new, is_oco=True, stop_loss=below)
    if old.role == Order.Role.STOP_LOSS and new.stop_price is not None:
        own = StopLoss(stop_price=new.stop_price, limit_price=new.limit_price)
        return replace(new, is_oco=True, limit_price=above, stop_loss=own)
    return replace(new, take_profit=above, stop_loss=below)


def _stop_loss(stop: Order) -> StopLoss | None:
    if stop.stop_price is None:
        return None
    return StopLoss(stop_price=stop.stop_price, limit_price=stop.limit_price)
