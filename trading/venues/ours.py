"""Our side of a comparison: what the books have of an account, beside what its exchange says."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from django.db.models import Q

from trading.brokers.models import Account, Balance
from trading.market.models import Instrument
from trading.orders.models import Fill, Order, VenueIntent
from trading.orders.states import OrderStatus
from trading.positions.models import Position
from trading.values import exact
from trading.venues import booking
from trading.venues.differences import Books, OurOrder
from trading.venues.facts import Snapshot, VenueTrade, client_id


def books(account: Account, venue: Snapshot) -> Books:
    """What is to be compared with a snapshot; the account is locked."""
    cash = Balance.objects.filter(account=account)
    return Books(
        orders=tuple(_orders(account, venue)),
        trades=_known(account, venue.trades),
        totals={row.currency: row.total for row in cash},
        free={row.currency: row.free for row in cash},
        held=_held(account),
    )


def _orders(account: Account, venue: Snapshot) -> list[OurOrder]:
    """Those that are open, and those of which the exchange speaks."""
    told = {order.id for order in venue.orders} | {trade.order_id for trade in venue.trades}
    placed = VenueIntent.objects.filter(account=account, kind=VenueIntent.Kind.PLACE)
    rows = placed.filter(Q(order__in=Order.objects.open()) | Q(venue_order_id__in=told))
    asked = set(
        VenueIntent.objects.filter(account=account).outstanding().values_list("order_id", flat=True)
    )
    return [
        OurOrder(
            id=intent.order_id,
            client_id=client_id(intent.order_id),
            venue_id=intent.venue_order_id,
            status=OrderStatus(intent.order.status),
            quantity=intent.order.quantity,
            filled=intent.order.filled_quantity,
            is_asked=intent.order_id in asked,
        )
        for intent in rows.select_related("order").order_by("created_at", "id")
    ]


def _known(account: Account, trades: tuple[VenueTrade, ...]) -> frozenset[str]:
    named = {booking.trade_id(trade): trade.id for trade in trades}
    rows = Fill.objects.filter(account=account, trade_id__in=named)
    return frozenset(named[key] for key in rows.values_list("trade_id", flat=True))


@exact()
def _held(account: Account) -> dict[str, Decimal]:
    """By base asset, over all instruments that have it."""
    rows = Position.objects.filter(account=account, closed_at=None)
    quantities = dict(rows.values_list("instrument", "quantity"))
    bases = Instrument.objects.filter(symbol__in=quantities).values_list("symbol", "base")
    held: dict[str, Decimal] = defaultdict(Decimal)
    for symbol, base in bases:
        held[base] += quantities[symbol]
    return dict(held)
