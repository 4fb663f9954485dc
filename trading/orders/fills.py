"""One execution in the books: what it does to its position, and the row that explains it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.orders.models import Fill, Order
from trading.positions import actions as positions
from trading.positions.pnl import HoldingFill
from trading.values import Liquidity, Side, exact


@exact()
def record(
    order: Order,
    held: HoldingFill,
    *,
    origin: positions.Origin,
    currency: str,
    liquidity: Liquidity,
    trade_id: str,
    model: str,
    source: dict[str, object],
    executed_at: datetime,
    now: datetime,
    base_fee: Decimal = Decimal(0),
) -> Fill:
    """Book an execution of a locked order; `held` is what its position gains or loses.

    `currency` is that of its money; `base_fee` what the venue kept of the base asset, by which
    `held` is another quantity than was executed. Cash and the order are the caller's to change.
    Raises pnl.Oversold, and IntegrityError for a trade that is booked already.
    """
    account = order.account
    position, realized = positions.apply(account, order.instrument, held, now=now, origin=origin)
    kept = base_fee if held.side is Side.BUY else -base_fee
    fill = Fill(
        id=origin.fill_id,
        order=order,
        account=account,
        position=position,
        user_id=order.user_id,
        instrument=order.instrument,
        side=held.side,
        quantity=held.quantity + kept,
        price=held.price,
        fee=held.fee,
        fee_currency=currency,
        base_fee=base_fee,
        realized_pnl=realized,
        liquidity=liquidity,
        trade_id=trade_id,
        executed_at=executed_at,
        recorded_at=now,
        model=model,
        source=source,
    )
    fill.save(force_insert=True)
    return fill
