"""What placing an order would do: it is placed, looked at, and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from config.api.errors import DomainError
from trading.brokers.models import Balance
from trading.market import queries as market
from trading.orders import actions
from trading.orders.costs import Costs, fee, slipped
from trading.orders.instructions import Instruction
from trading.orders.models import Order
from trading.positions import actions as positions
from trading.values import Liquidity, Side, exact


@dataclass(frozen=True, slots=True)
class Effect:
    """What an order changes of what is free; in the quote currency for a buy, else the base."""

    currency: str
    free_before: Decimal
    free_after: Decimal
    locked: Decimal


@dataclass(frozen=True, slots=True)
class Preview:
    """`value`, `fee` and `slippage` in the quote currency; None where there is no price."""

    reasons: list[dict[str, str]]
    quantity: Decimal | None = None
    price: Decimal | None = None
    value: Decimal | None = None
    fee: Decimal | None = None
    slippage: Decimal | None = None
    effect: Effect | None = None

    @property
    def is_accepted(self) -> bool:
        return not self.reasons


def preview(asked: Instruction, *, now: datetime) -> Preview:
    """What `place` would do with it, and why it would refuse it. Raises NotFound."""
    with transaction.atomic():
        try:
            order, _ = actions.place(asked, now=now)
            return _shown(order)
        except DomainError as fault:
            if fault.status == 404:
                raise
            return Preview([{"code": fault.code, "title": fault.title, "detail": fault.detail}])
        finally:
            transaction.set_rollback(True)


@exact()
def _shown(order: Order) -> Preview:
    costs = Costs(
        maker_bps=order.maker_bps, taker_bps=order.taker_bps, slippage_bps=order.slippage_bps
    )
    last = order.limit_price or order.stop_price or market.quote(order.instrument).price
    if last is None:
        return Preview([], quantity=order.quantity, effect=_effect(order))
    price = last if order.limit_price else slipped(last, Side(order.side), costs)
    value = order.quantity * price
    return Preview(
        [],
        quantity=order.quantity,
        price=price,
        value=value,
        fee=fee(value, Liquidity.TAKER, costs),
        slippage=abs(price - last) * order.quantity,
        effect=_effect(order),
    )


@exact()
def _effect(order: Order) -> Effect:
    """Read before the placing is taken back."""
    if order.side == Side.SELL:
        free = positions.free_quantity(order.account, order.instrument)
    else:
        balance = Balance.objects.get(account=order.account, currency=order.locked_currency)
        free = balance.free
    return Effect(order.locked_currency, free + order.locked, free, order.locked)
