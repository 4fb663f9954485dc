"""The books of an account, added up from the facts: what has to hold after every commit."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from trading.models import Account, Balance, CashMovement, Fill, Order, Position
from trading.positions import queries
from trading.values import Side, exact


@exact()
def check(account_id: Any) -> None:
    """Raises AssertionError for the first sum that does not add up; inside the tenant."""
    account = Account.objects.get(pk=account_id)
    fills = list(Fill.objects.filter(account=account).order_by("id"))
    orders = list(Order.objects.filter(account=account))
    _money(account, fills, orders)
    _holdings(account, fills, orders)
    _orders(orders, fills)
    if account.is_paper:
        _profit(account, fills)


def _money(account: Account, fills: list[Fill], orders: list[Order]) -> None:
    """Cash is what was put in, less what fills cost; locked is what open buys hold."""
    cash: dict[str, Decimal] = defaultdict(Decimal)
    for movement in CashMovement.objects.filter(account=account):
        cash[movement.currency] += movement.amount
    for fill in fills:
        value = _net(fill) * fill.price
        cash[fill.fee_currency] += (-value if fill.side == Side.BUY else value) - fill.fee
    locked: dict[str, Decimal] = defaultdict(Decimal)
    for order in orders:
        if order.side == Side.BUY:
            locked[order.locked_currency] += order.locked
    for balance in Balance.objects.filter(account=account):
        assert balance.total == balance.free + balance.locked >= 0
        assert balance.total == cash[balance.currency], balance.currency
        assert balance.locked == locked[balance.currency], balance.currency


def _holdings(account: Account, fills: list[Fill], orders: list[Order]) -> None:
    """A position is a fold of its fills; what it has locked is what open sells hold."""
    assert len({fill.trade_id for fill in fills}) == len(fills)
    assert not queries.unbalanced().filter(account=account).exists()
    for position in Position.objects.filter(account=account):
        own = [fill for fill in fills if fill.position_id == position.id]
        signed = ((f.quantity if f.side == Side.BUY else -f.quantity) - f.base_fee for f in own)
        assert position.quantity == sum(signed, Decimal(0)), position.instrument
        realized = sum((fill.realized_pnl for fill in own), Decimal(0))
        assert position.realized_pnl == realized, position.instrument
        assert position.fees == sum((fill.fee for fill in own), Decimal(0))
        if position.closed_at is None:
            held = (
                o.locked
                for o in orders
                if o.side == Side.SELL and o.instrument == position.instrument
            )
            assert position.locked_quantity == sum(held, Decimal(0)), position.instrument
        else:
            spent = sum((_net(f) * f.price for f in own if f.side == Side.BUY), Decimal(0))
            gained = sum((_net(f) * f.price for f in own if f.side == Side.SELL), Decimal(0))
            assert position.realized_pnl == gained - spent, "flat: both cost methods agree"


def _profit(account: Account, fills: list[Fill]) -> None:
    """Equity change − cash flows = Σ realised + unrealised − fees, at any price.

    The price stands on both sides, as the value of what is held: what is left is its cost.
    """
    quotes = {fill.position_id: fill.fee_currency for fill in fills}
    gained: dict[str, Decimal] = defaultdict(Decimal)
    for balance in Balance.objects.filter(account=account):
        gained[balance.currency] += balance.total
    for movement in CashMovement.objects.filter(account=account):
        gained[movement.currency] -= movement.amount
    for position in Position.objects.filter(account=account):
        currency = quotes[position.id]
        gained[currency] += position.cost_basis - position.realized_pnl + position.fees
    assert not any(gained.values()), gained


def _orders(orders: list[Order], fills: list[Fill]) -> None:
    for order in orders:
        own = [fill for fill in fills if fill.order_id == order.id]
        assert order.filled_quantity == sum((f.quantity for f in own), Decimal(0))
        assert order.fees == sum((f.fee for f in own), Decimal(0))
        siblings = [o for o in orders if order.group and o.group == order.group and o != order]
        if siblings and order.status in ("accepted", "partially_filled", "triggered"):
            elsewhere = sum((o.filled_quantity for o in siblings if _active(o)), Decimal(0))
            assert order.sibling_filled == elsewhere, "a group shares one quantity"


def _net(fill: Fill) -> Decimal:
    """What came into the position, or left it: a fee in the base asset is part of that."""
    return fill.quantity + (-fill.base_fee if fill.side == Side.BUY else fill.base_fee)


def _active(order: Order) -> bool:
    return order.status != "replaced"
