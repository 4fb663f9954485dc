"""What accounts are worth: cash and holdings at known prices. Pure; a missing price is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from trading.values import exact


@dataclass(frozen=True, slots=True)
class Cash:
    account_id: UUID
    currency: str
    total: Decimal


@dataclass(frozen=True, slots=True)
class Holding:
    account_id: UUID
    instrument: str
    quote: str  # the currency its price is in
    quantity: Decimal
    cost_basis: Decimal
    realized_pnl: Decimal


@dataclass(frozen=True, slots=True)
class Worth:
    """One currency's side of an account or of all of them; None where a price is missing."""

    currency: str
    cash: Decimal
    positions_value: Decimal | None
    equity: Decimal | None
    realized_pnl: Decimal
    unrealized_pnl: Decimal | None
    missing_prices: tuple[str, ...]


@exact()
def worth(
    cash: Iterable[Cash], holdings: Iterable[Holding], prices: Mapping[str, Decimal | None]
) -> list[Worth]:
    """Worth per currency, in order of the currency's name; equity = cash + Σ position value."""
    cash, holdings = list(cash), list(holdings)
    currencies = sorted({c.currency for c in cash} | {h.quote for h in holdings})
    return [
        _side(
            currency,
            [c for c in cash if c.currency == currency],
            [h for h in holdings if h.quote == currency],
            prices,
        )
        for currency in currencies
    ]


def _side(
    currency: str,
    cash: list[Cash],
    holdings: list[Holding],
    prices: Mapping[str, Decimal | None],
) -> Worth:
    held = [h for h in holdings if h.quantity]
    missing = tuple(sorted({h.instrument for h in held if prices.get(h.instrument) is None}))
    money = sum((c.total for c in cash), Decimal(0))
    value = None if missing else _value(held, prices)
    cost = sum((h.cost_basis for h in held), Decimal(0))
    return Worth(
        currency=currency,
        cash=money,
        positions_value=value,
        equity=None if value is None else money + value,
        realized_pnl=sum((h.realized_pnl for h in holdings), Decimal(0)),
        unrealized_pnl=None if value is None else value - cost,
        missing_prices=missing,
    )


def _value(held: list[Holding], prices: Mapping[str, Decimal | None]) -> Decimal:
    return sum((h.quantity * (prices[h.instrument] or 0) for h in held), Decimal(0))
