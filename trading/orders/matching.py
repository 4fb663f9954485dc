"""The matching engine: orders of one account meet one bar, and the same input gives the same fills.

Accounts do not compete for a bar's volume: otherwise one tenant's orders could be seen in the fills
of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from trading.market.bars import Bar
from trading.orders.costs import fee
from trading.orders.rules import Meeting, meet
from trading.orders.states import OrderStatus
from trading.orders.working import (
    EndReason,
    Execution,
    Expiration,
    Outcome,
    Terms,
    WorkingOrder,
)
from trading.values import Liquidity, Side, TimeInForce, exact, plain, round_down

# Written into every fill: a change of the rules is a new name.
MODEL = "bar-1"


class MixedOrders(ValueError):
    """The orders are not all of one account in the bar's instrument."""

    code = "mixed_orders"


@exact()
def match(
    orders: Sequence[WorkingOrder],
    bar: Bar,
    terms: Terms,
    *,
    session_ends_at: datetime | None = None,
) -> Outcome:
    """What the bar does to the open orders of one account, in time priority.

    Day orders end with the session, at midnight UTC unless said otherwise. Raises MixedOrders and
    UnsupportedOrderType.
    """
    _check_one_book(orders, bar)
    closing = session_ends_at or _midnight_after(bar.start)
    capacity = bar.volume * terms.participation if bar.volume else None
    executions: list[Execution] = []
    expirations: list[Expiration] = []
    for order in sorted(orders, key=lambda order: (order.sequence, order.id)):
        if order.matched_through is not None and bar.start <= order.matched_through:
            continue
        execution, reason = _meet(order, bar, terms, closing, capacity)
        if execution is not None:
            executions.append(execution)
            capacity = None if capacity is None else capacity - execution.quantity
        if reason is not None:
            expirations.append(Expiration(order.id, _STATUS[reason], reason))
    return Outcome(tuple(executions), tuple(expirations))


def _check_one_book(orders: Sequence[WorkingOrder], bar: Bar) -> None:
    if len({order.account for order in orders}) > 1:
        raise MixedOrders("orders of several accounts")
    if any(order.symbol != bar.symbol for order in orders):
        raise MixedOrders(f"an order that is not for {bar.symbol}")


def _midnight_after(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _meet(
    order: WorkingOrder, bar: Bar, terms: Terms, closing: datetime, capacity: Decimal | None
) -> tuple[Execution | None, EndReason | None]:
    """What the bar does to one order: a fill or none, and why the remainder ends, if it does."""
    deadline = _deadline(order, closing)
    if deadline is not None and deadline <= bar.start:
        return None, _LATE[order.time_in_force]
    meeting = meet(order, bar, terms)
    if meeting is None:
        return None, _ending(order, deadline, bar)
    if order.post_only and meeting.liquidity is Liquidity.TAKER:
        return None, EndReason.POST_ONLY_WOULD_TAKE
    fundable = _fundable(order, meeting, terms)
    quantity = _fillable(fundable, capacity, terms)
    if quantity == order.remaining:
        return _execution(order, bar, terms, meeting, quantity), None
    if order.time_in_force is TimeInForce.FOK:
        return None, EndReason.FOK_NOT_FILLABLE
    execution = _execution(order, bar, terms, meeting, quantity) if quantity else None
    is_spent = quantity == fundable
    return execution, EndReason.FUNDS_SPENT if is_spent else _ending(order, deadline, bar)


def _deadline(order: WorkingOrder, closing: datetime) -> datetime | None:
    if order.time_in_force is TimeInForce.DAY:
        return order.expires_at or closing
    return order.expires_at if order.time_in_force is TimeInForce.GTD else None


def _fundable(order: WorkingOrder, meeting: Meeting, terms: Terms) -> Decimal:
    """As much of the remainder as the buyer can pay for at this price."""
    if order.side is Side.SELL or order.spendable is None:
        return order.remaining
    unit_cost = meeting.price * (1 + terms.costs.rate(meeting.liquidity))
    if order.remaining * unit_cost <= order.spendable:
        return order.remaining
    return max(round_down(order.spendable / unit_cost, terms.increments.quantity), Decimal(0))


def _fillable(wanted: Decimal, capacity: Decimal | None, terms: Terms) -> Decimal:
    if capacity is None or wanted <= capacity:
        return wanted
    return round_down(capacity, terms.increments.quantity)


def _ending(order: WorkingOrder, deadline: datetime | None, bar: Bar) -> EndReason | None:
    """Why the remainder does not see another bar, if it does not."""
    if order.time_in_force in _AT_ONCE:
        return _AT_ONCE[order.time_in_force]
    if deadline is not None and deadline <= bar.end:
        return _LATE[order.time_in_force]
    return None


_AT_ONCE = {
    TimeInForce.IOC: EndReason.IOC_REMAINDER,
    TimeInForce.FOK: EndReason.FOK_NOT_FILLABLE,
}

_LATE = {
    TimeInForce.DAY: EndReason.SESSION_ENDED,
    TimeInForce.GTD: EndReason.EXPIRES_AT_REACHED,
}

_STATUS = {
    EndReason.IOC_REMAINDER: OrderStatus.EXPIRED,
    EndReason.FOK_NOT_FILLABLE: OrderStatus.EXPIRED,
    EndReason.SESSION_ENDED: OrderStatus.EXPIRED,
    EndReason.EXPIRES_AT_REACHED: OrderStatus.EXPIRED,
    EndReason.POST_ONLY_WOULD_TAKE: OrderStatus.CANCELED,
    EndReason.FUNDS_SPENT: OrderStatus.CANCELED,
}


def _execution(
    order: WorkingOrder, bar: Bar, terms: Terms, meeting: Meeting, quantity: Decimal
) -> Execution:
    return Execution(
        order_id=order.id,
        side=order.side,
        quantity=quantity,
        price=meeting.price,
        fee=fee(quantity * meeting.price, meeting.liquidity, terms.costs),
        liquidity=meeting.liquidity,
        is_complete=quantity == order.remaining,
        executed_at=meeting.at,
        model=MODEL,
        source=_source(bar, terms, meeting),
    )


def _source(bar: Bar, terms: Terms, meeting: Meeting) -> dict[str, object]:
    """Everything the fill follows from, for whoever asks why."""
    parameters = {
        "maker_bps": plain(terms.costs.maker_bps),
        "taker_bps": plain(terms.costs.taker_bps),
        "slippage_bps": plain(terms.costs.slippage_bps),
        "price_increment": plain(terms.increments.price),
        "quantity_increment": plain(terms.increments.quantity),
        "participation": plain(terms.participation),
        "touch": terms.touch,
    }
    return {"rule": meeting.name, "parameters": parameters, "bar": bar.described()}
