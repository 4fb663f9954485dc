"""How much of an order a meeting fills: what remains, what there is to pay, reduce and take."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from trading.orders.meetings import Meeting
from trading.orders.outcomes import EndReason, Execution
from trading.orders.working import Terms, WorkingOrder
from trading.values import Liquidity, Side, TimeInForce, round_down


def filled(
    order: WorkingOrder, meeting: Meeting, terms: Terms, capacity: Decimal | None
) -> tuple[Decimal, EndReason | None]:
    """The quantity to fill, and why the remainder ends with it if the meeting itself ends it."""
    if order.post_only and meeting.liquidity is Liquidity.TAKER:
        return Decimal(0), EndReason.POST_ONLY_WOULD_TAKE
    reducible = _reducible(order, terms)
    fundable = _fundable(order, meeting, terms)
    quantity = _fillable(min(reducible, fundable), capacity, terms)
    if quantity == order.remaining:
        return quantity, None
    if order.time_in_force is TimeInForce.FOK:
        return Decimal(0), EndReason.FOK_NOT_FILLABLE
    if quantity == reducible:
        return quantity, EndReason.NOTHING_TO_REDUCE
    return quantity, EndReason.FUNDS_SPENT if quantity == fundable else None


def capacity(volume: Decimal, terms: Terms, taken: Decimal) -> Decimal | None:
    """What is left of the account's share of the volume; None where that is not known."""
    if not volume:
        return None
    return max(volume * terms.participation - taken, Decimal(0))


def has_nothing_to_reduce(order: WorkingOrder, terms: Terms) -> bool:
    return not _reducible(order, terms)


def _reducible(order: WorkingOrder, terms: Terms) -> Decimal:
    """As much of the remainder as the position has for a reduce-only order."""
    if order.reducible is None or order.reducible >= order.remaining:
        return order.remaining
    return round_down(order.reducible, terms.increments.quantity)


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


def with_means_left(order: WorkingOrder, filled: WorkingOrder, fill: Execution) -> WorkingOrder:
    """An order after a fill of itself or another: with less of what it draws on in common."""
    spendable, reducible = order.spendable, order.reducible
    if spendable is not None and fill.side is Side.BUY and _draw_on_one_sum(order, filled):
        spendable -= fill.quantity * fill.price + fill.fee
    if reducible is not None:
        change = -fill.quantity if order.side is fill.side else fill.quantity
        reducible = max(reducible + change, Decimal(0))
    if (spendable, reducible) == (order.spendable, order.reducible):
        return order
    return replace(order, spendable=spendable, reducible=reducible)


def _draw_on_one_sum(order: WorkingOrder, other: WorkingOrder) -> bool:
    return order.id == other.id or (order.group is not None and order.group == other.group)
