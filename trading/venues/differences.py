"""What an exchange and our books say differently of one account, and what follows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from trading.orders.states import FINAL, OrderStatus
from trading.values import exact, plain
from trading.venues.facts import Snapshot, VenueOrder, VenueTrade

Finding = dict[str, str]

_ENDS = {
    "closed": OrderStatus.CANCELED,
    "canceled": OrderStatus.CANCELED,
    "rejected": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OurOrder:
    """An order as our books have it. `is_asked` says that a call about it is still unanswered.

    `venue_id` is empty until the exchange has told it.
    """

    id: UUID
    client_id: str
    venue_id: str
    status: OrderStatus
    quantity: Decimal
    filled: Decimal
    is_asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What we have: orders that are open or named by a trade, trades booked, money, holdings.

    `held` is what positions hold of a base asset; `free` what of the cash no order has locked.
    """

    orders: tuple[OurOrder, ...] = ()
    trades: frozenset[str] = frozenset()
    totals: dict[str, Decimal] = field(default_factory=dict)
    free: dict[str, Decimal] = field(default_factory=dict)
    held: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ending:
    order_id: UUID
    status: OrderStatus
    reason: str


@dataclass(frozen=True, slots=True)
class Flow:
    """Money that came or, negative, went without a fill of ours."""

    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What to do to our books, in this order, and all that is to be told."""

    accepted: tuple[tuple[UUID, str], ...] = ()  # with the exchange's id
    fills: tuple[tuple[UUID, VenueTrade], ...] = ()
    endings: tuple[Ending, ...] = ()
    reopened: tuple[UUID, ...] = ()  # still at work: the exchange did not take it back
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """What makes our balances those of the exchange, and all that is to be told."""

    flows: tuple[Flow, ...] = ()
    findings: tuple[Finding, ...] = ()


@exact()
def differences(books: Books, venue: Snapshot) -> Differences:
    """Of orders and trades. What was placed elsewhere is told, and not taken for ours."""
    by_venue_id = {order.venue_id: order for order in books.orders if order.venue_id}
    by_client_id = {order.client_id: order for order in books.orders}
    there: dict[UUID, VenueOrder] = {}
    findings: list[Finding] = []
    for found in venue.orders:
        ours = by_venue_id.get(found.id) or by_client_id.get(found.client_id)
        if ours is not None:
            there[ours.id] = found
            by_venue_id[found.id] = ours
        elif not found.is_ended:
            findings.append({"code": "order_elsewhere", "venue_order": found.id})
    fills: list[tuple[UUID, VenueTrade]] = []
    for trade in venue.trades:
        owner = by_venue_id.get(trade.order_id)
        if owner is None:
            findings.append(_of_trade("trade_elsewhere", trade))
        elif trade.id not in books.trades:
            fills.append((owner.id, trade))
            findings.append({**_of_trade("fill_booked", trade), "order": str(owner.id)})
    told = list(_orders(books.orders, there, venue.missing, fills))
    return Differences(
        accepted=tuple(
            (order.id, there[order.id].id)
            for order in books.orders
            if order.id in there and not order.venue_id
        ),
        fills=tuple(fills),
        endings=tuple(ending for ending in told if isinstance(ending, Ending)),
        reopened=tuple(still for still in told if isinstance(still, UUID)),
        findings=(*findings, *_told(told)),
    )


@exact()
def mirrored(books: Books, totals: dict[str, Decimal] | None) -> Mirrored:
    """Of money, once all fills are booked: what neither cash nor positions account for.

    Cash that orders have locked, and holdings, are not taken away: what is missing of them is told.
    None as totals says nothing.
    """
    if totals is None:
        return Mirrored()
    flows: list[Flow] = []
    findings: list[Finding] = []
    for currency in sorted({*totals, *books.totals, *books.held}):
        ours = books.totals.get(currency, Decimal(0)) + books.held.get(currency, Decimal(0))
        theirs = totals.get(currency, Decimal(0))
        if ours == theirs:
            continue
        amount = max(theirs - ours, -books.free.get(currency, Decimal(0)))
        said = {"currency": currency, "ours": plain(ours), "venue": plain(theirs)}
        if amount:
            flows.append(Flow(currency, amount))
            findings.append({"code": "balance_differed", **said})
        if amount != theirs - ours:
            left = plain(ours + amount - theirs)
            findings.append({"code": "balance_short", **said, "missing": left})
    return Mirrored(flows=tuple(flows), findings=tuple(findings))


def _orders(
    orders: Iterable[OurOrder],
    there: dict[UUID, VenueOrder],
    missing: frozenset[UUID],
    fills: list[tuple[UUID, VenueTrade]],
) -> Iterator[Ending | UUID | Finding]:
    """What becomes of each that we believe open."""
    for order in orders:
        if order.status in FINAL:
            continue
        found = there.get(order.id)
        filled = sum((t.quantity for key, t in fills if key == order.id), order.filled)
        if found is None:
            if order.id in missing and not order.is_asked:
                yield Ending(order.id, OrderStatus.CANCELED, "missing_at_venue")
        elif found.filled > filled:
            # Its trades are on their way: it ends when they are here.
            yield {"code": "trades_not_seen", "order": str(order.id)}
        elif found.is_ended and filled < order.quantity:
            yield Ending(order.id, _ENDS[found.status], f"{found.status}_at_venue")
        elif order.status is OrderStatus.PENDING_CANCEL and not (order.is_asked or found.is_ended):
            yield order.id


def _told(told: Iterable[Ending | UUID | Finding]) -> Iterator[Finding]:
    for entry in told:
        if isinstance(entry, Ending):
            ended = {"code": "order_ended", "order": str(entry.order_id)}
            yield {**ended, "status": entry.status.value, "reason": entry.reason}
        elif isinstance(entry, UUID):
            yield {"code": "cancel_declined", "order": str(entry)}
        else:
            yield entry


def _of_trade(code: str, trade: VenueTrade) -> Finding:
    return {"code": code, "trade": trade.id, "venue_order": trade.order_id}
