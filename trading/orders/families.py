"""What an order stands together with, in the words of the instruction that asks for another."""

from __future__ import annotations

from dataclasses import replace

from django.db.models import Q

from trading.orders.instructions import Instruction, StopLoss
from trading.orders.models import Order


def with_exits(old: Order, asked: Instruction) -> Instruction:
    """What is to take the place of `old`, with the exits that it has, or is one of."""
    kin = Q(parent=old) if old.group is None else Q(parent=old) | Q(group=old.group)
    others = {row.role: row for row in Order.objects.open().filter(kin).exclude(pk=old.pk)}
    profit = others.get(Order.Role.TAKE_PROFIT)
    stop = others.get(Order.Role.STOP_LOSS)
    above = None if profit is None else profit.limit_price
    below = None if stop is None else _stop_loss(stop)
    if old.role == Order.Role.TAKE_PROFIT:
        return replace(asked, is_oco=True, stop_loss=below)
    if old.role == Order.Role.STOP_LOSS and asked.stop_price is not None:
        own = StopLoss(stop_price=asked.stop_price, limit_price=asked.limit_price)
        return replace(asked, is_oco=True, limit_price=above, stop_loss=own)
    return replace(asked, take_profit=above, stop_loss=below)


def _stop_loss(stop: Order) -> StopLoss | None:
    if stop.stop_price is None:
        return None
    return StopLoss(stop_price=stop.stop_price, limit_price=stop.limit_price)
