"""What an account's holdings are worth at the last prices, and what it is worth altogether."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from trading.brokers.models import Account
from trading.market import queries as market
from trading.market.models import Instrument
from trading.market.rates import rates
from trading.positions import pnl
from trading.values import exact

UNKNOWN = "unknown"  # no currency is written in small letters


@dataclass(frozen=True, slots=True)
class Priced:
    """An open position; cost and value in `currency`, value None without a price."""

    position_id: UUID
    instrument: str
    currency: str
    cost: Decimal
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Equity:
    """In the account's currency; None where it is unknown, for want of prices of `unpriced`."""

    value: Decimal | None
    unpriced: tuple[str, ...] = ()


def of(account: Account) -> list[Priced]:
    """An account's open positions at the last prices."""
    rows = list(account.positions.filter(closed_at=None))
    quoted = quote_currencies(row.instrument for row in rows)
    quotes = market.quotes(sorted(quoted))
    return [
        Priced(
            row.id,
            row.instrument,
            quoted[row.instrument],
            row.cost_basis,
            pnl.market_value(row, quotes[row.instrument].price),
        )
        for row in rows
    ]


@exact()
def equity(account: Account) -> Equity:
    """Cash and holdings of every currency together. What has no price is named, and never 0."""
    held = of(account)
    sides = dict(account.balances.exclude(total=0).values_list("currency", "total"))
    for holding in held:
        worth = sides.get(holding.currency, Decimal(0))
        sides[holding.currency] = worth + (holding.value or Decimal(0))
    worth_of = rates(sides, account.currency)
    unpriced = {holding.instrument for holding in held if holding.value is None}
    unpriced |= {currency for currency in sides if worth_of[currency] is None}
    if unpriced:
        return Equity(None, tuple(sorted(unpriced)))
    valued = (amount * (worth_of[currency] or 0) for currency, amount in sides.items())
    return Equity(sum(valued, Decimal(0)))


def quote_currencies(symbols: Iterable[str]) -> dict[str, str]:
    """The currency that each instrument is priced in; asks nothing about nothing.

    One that is listed no more may still be held: a pair's symbol says it, of others it is UNKNOWN.
    """
    wanted = set(symbols)
    if not wanted:
        return {}
    said = {symbol: symbol.partition("/")[2] or UNKNOWN for symbol in wanted}
    rows = Instrument.objects.filter(symbol__in=wanted)
    return {**said, **dict(rows.values_list("symbol", "quote"))}
