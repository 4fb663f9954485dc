"""A fill together with everything it follows from, so that it can be explained and recomputed."""

from __future__ import annotations

from decimal import Decimal

from trading.orders.costs import fee
from trading.orders.meetings import Firing, Meeting
from trading.orders.outcomes import Execution
from trading.orders.path import Path
from trading.orders.working import Terms, WorkingOrder
from trading.records import record
from trading.values import plain


@record(frozen=True, slots=True, eq=False, repr=False)
class Circumstances:
    """What was there when the order's turn came; `capacity` of the volume was still to be had.

    Two are equal that are told in the same words.
    """

    order: WorkingOrder
    path: Path
    terms: Terms
    meeting: Meeting
    firing: Firing | None
    capacity: Decimal | None

    def told(self) -> dict[str, object]:
        return {
            "rule": self.meeting.name,
            "parameters": _parameters(self.terms),
            "order": _order(self.order),
            "trigger": None if self.firing is None else _trigger(self.firing),
            "capacity": _plain(self.capacity),
            **self.path.source,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Circumstances) and self.told() == other.told()

    def __hash__(self) -> int:
        return hash((self.meeting.name, self.capacity))

    def __repr__(self) -> str:
        return repr(self.told())


def explained(found: Circumstances, quantity: Decimal) -> Execution:
    """The fill of an order as it stood when its turn came."""
    order, meeting = found.order, found.meeting
    return Execution(
        order_id=order.id,
        side=order.side,
        quantity=quantity,
        price=meeting.price,
        fee=fee(quantity * meeting.price, meeting.liquidity, found.terms.costs),
        liquidity=meeting.liquidity,
        is_complete=quantity == order.remaining,
        executed_at=meeting.at,
        model=found.path.model,
        explanation=found,
    )


def _parameters(terms: Terms) -> dict[str, object]:
    return {
        "maker_bps": plain(terms.costs.maker_bps),
        "taker_bps": plain(terms.costs.taker_bps),
        "slippage_bps": plain(terms.costs.slippage_bps),
        "price_increment": plain(terms.increments.price),
        "quantity_increment": plain(terms.increments.quantity),
        "participation": plain(terms.participation),
        "touch": terms.touch,
    }


def _order(order: WorkingOrder) -> dict[str, object]:
    return {
        "type": order.type.value,
        "side": order.side.value,
        "time_in_force": order.time_in_force.value,
        "remaining": plain(order.remaining),
        "limit_price": _plain(order.limit_price),
        "stop_price": _plain(order.stop_price),
        "trail_amount": _plain(order.trail_amount),
        "trail_percent": _plain(order.trail_percent),
        "water_mark": _plain(order.water_mark),
        "spendable": _plain(order.spendable),
        "reducible": _plain(order.reducible),
        "post_only": order.post_only,
        "is_resting": order.is_resting,
        "is_triggered": order.is_triggered,
    }


def _trigger(firing: Firing) -> dict[str, object]:
    return {"level": plain(firing.level), "water_mark": _plain(firing.water_mark)}


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
