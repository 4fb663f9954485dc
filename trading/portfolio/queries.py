"""What may be asked about all of a person's accounts together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from tenants import context
from tenants.context import Scope
from trading.brokers.models import Account, Balance
from trading.market import queries as market
from trading.market.models import Instrument
from trading.portfolio.valuation import Cash, Holding, Worth, worth
from trading.positions.models import Position


@dataclass(frozen=True, slots=True)
class AccountWorth:
    account: Account
    worth: list[Worth]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Worth of every account, and of all together, per currency."""

    as_of: datetime
    total: list[Worth]
    accounts: list[AccountWorth]


def portfolio(*, now: datetime) -> Portfolio:
    """The caller's portfolio: his own accounts, or for scope `tenant` all of the tenant's."""
    own = _own()
    accounts = list(Account.objects.filter(own).order_by("created_at", "id"))
    cash = [Cash(b.account_id, b.currency, b.total) for b in Balance.objects.filter(own)]
    holdings = _holdings(own)
    quotes = market.quotes(sorted({h.instrument for h in holdings}))
    prices = {symbol: quote.price for symbol, quote in quotes.items()}
    return Portfolio(
        as_of=now,
        total=worth(cash, holdings, prices),
        accounts=[_of(account, cash, holdings, prices) for account in accounts],
    )


def _of(
    account: Account,
    cash: list[Cash],
    holdings: list[Holding],
    prices: dict[str, Decimal | None],
) -> AccountWorth:
    def belongs(row: Cash | Holding) -> bool:
        return row.account_id == account.id

    sides = worth(filter(belongs, cash), filter(belongs, holdings), prices)
    return AccountWorth(account, sides)


def _holdings(own: Q) -> list[Holding]:
    positions = list(Position.objects.filter(own))
    symbols = {p.instrument for p in positions}
    quotes = dict(Instrument.objects.filter(symbol__in=symbols).values_list("symbol", "quote"))
    return [
        Holding(
            account_id=p.account_id,
            instrument=p.instrument,
            quote=quotes[p.instrument],
            quantity=p.quantity,
            cost_basis=p.cost_basis,
            realized_pnl=p.realized_pnl,
        )
        for p in positions
    ]


def _own() -> Q:
    """Scope `user` names the person, so that the index of his rows serves the query."""
    entered = context.require()
    if entered.scope is Scope.TENANT:
        return Q()
    user_id: UUID | None = entered.actor.user_id
    return Q(user_id=user_id)
