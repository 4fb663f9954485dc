"""A person's trading in a few numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, Sum

from trading.market import queries as market
from trading.orders.models import Order
from trading.portfolio import queries as portfolio
from trading.positions.models import Position
from trading.positions.priced import quote_currencies
from trading.values import exact

NO_CLOSED_POSITIONS = "no_closed_positions"
_PLACES = Decimal(1).scaleb(-18)
_NET = F("realized_pnl") - F("fees")
_CLOSED = Q(closed_at__isnull=False)
_COUNTS = {
    "total_positions": Count("pk"),
    "open_positions": Count("pk", filter=~_CLOSED),
    "closed_positions": Count("pk", filter=_CLOSED),
    "winners": Count("pk", filter=_CLOSED & Q(net__gt=0)),
    "losers": Count("pk", filter=_CLOSED & Q(net__lt=0)),
    "break_even": Count("pk", filter=_CLOSED & Q(net=0)),
    "manual_closes": Count("pk", filter=Q(closed_by=Position.ClosedBy.MANUAL)),
}
_SUMS = {
    "held": Sum("quantity"),
    "cost": Sum("cost_basis"),
    "realized": Sum("realized_pnl"),
    "paid": Sum("fees"),
}


@dataclass(slots=True)
class Money:
    """Of all positions in one currency; what is unrealised is None where a price is missing."""

    currency: str
    realized_pnl: Decimal = Decimal(0)
    unrealized_pnl: Decimal | None = Decimal(0)
    fees: Decimal = Decimal(0)
    missing_prices: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """A winner is a closed position whose profit was more than its fees.

    `win_rate` = winners / closed positions; None, with the reason, where nothing was closed.
    """

    total_positions: int
    open_positions: int
    closed_positions: int
    winners: int
    losers: int
    break_even: int
    manual_closes: int
    open_orders: int
    win_rate: Decimal | None
    win_rate_reason: str | None
    money: list[Money]


def stats() -> Stats:
    """Of the caller's positions and orders, or for scope `tenant` of all of the tenant's."""
    rows = _sums()
    counts = {name: sum(row[name] for row in rows) for name in _COUNTS}
    rate = _win_rate(counts["winners"], counts["closed_positions"])
    return Stats(
        **counts,
        open_orders=Order.objects.open().filter(portfolio.own()).count(),
        win_rate=rate,
        win_rate_reason=NO_CLOSED_POSITIONS if rate is None else None,
        money=_money(rows),
    )


def _sums() -> list[dict[str, Any]]:
    """One row for each instrument."""
    rows = Position.objects.filter(portfolio.own()).annotate(net=_NET).order_by("instrument")
    return [dict(row) for row in rows.values("instrument").annotate(**_COUNTS, **_SUMS)]


@exact()
def _win_rate(winners: int, closed: int) -> Decimal | None:
    return (Decimal(winners) / closed).quantize(_PLACES) if closed else None


@exact()
def _money(rows: list[dict[str, Any]]) -> list[Money]:
    """Per currency, of sums per instrument."""
    quoted = quote_currencies(row["instrument"] for row in rows)
    held = sorted(row["instrument"] for row in rows if row["held"])
    quotes = market.quotes(held) if held else {}
    found: dict[str, Money] = {}
    for row in rows:
        symbol = row["instrument"]
        sums = found.setdefault(quoted[symbol], Money(quoted[symbol]))
        sums.realized_pnl += row["realized"]
        sums.fees += row["paid"]
        price = quotes[symbol].price if row["held"] else Decimal(0)
        if price is None:
            sums.missing_prices.append(symbol)
            sums.unrealized_pnl = None
        elif sums.unrealized_pnl is not None:
            sums.unrealized_pnl += row["held"] * price - row["cost"]
    return [found[currency] for currency in sorted(found)]
