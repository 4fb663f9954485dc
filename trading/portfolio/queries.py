"""What may be asked about all of a person's accounts together, now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum

from tenants import context
from tenants.context import Scope
from trading.brokers.limits import Breach
from trading.brokers.models import Account, AccountLimits, Balance
from trading.market import queries as market
from trading.portfolio.models import NamedPortfolio
from trading.portfolio.valuation import Cash, Holding, Worth, worth
from trading.positions.models import Position
from trading.positions.priced import quote_currencies
from trading.values import exact

_PLACES = Decimal(1).scaleb(-18)


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


@dataclass(frozen=True, slots=True)
class NamedWorth:
    """A named portfolio against its capital: `equity` and the return are None without a price.

    The return is equity / capital − 1, in the capital's currency; other currencies stand beside.
    """

    portfolio: NamedPortfolio
    accounts: list[UUID]
    worth: list[Worth]
    equity: Decimal | None
    return_on_capital: Decimal | None


def portfolio(*, now: datetime) -> Portfolio:
    """The caller's portfolio: his own accounts, or for scope `tenant` all of the tenant's."""
    accounts = list(Account.objects.filter(own()).order_by("created_at", "id"))
    cash, holdings, prices = _books(own())
    return Portfolio(
        as_of=now,
        total=worth(cash, holdings, prices),
        accounts=[
            AccountWorth(account, _of({account.id}, cash, holdings, prices)) for account in accounts
        ],
    )


def accounts_to_sample() -> QuerySet[Account, UUID]:
    """Those of the entered tenant whose worth moves with prices, or whose halt may be over."""
    held = Position.objects.filter(closed_at=None).values("account")
    foreign = Balance.objects.exclude(total=0).exclude(currency=F("account__currency"))
    limited = AccountLimits.objects.filter(account__in=foreign.values("account")).values("account")
    halted = Q(status=Account.Status.HALTED, status_reason=Breach.DAILY_LOSS)
    rows = Account.objects.filter(Q(pk__in=held) | Q(pk__in=limited) | halted)
    return rows.order_by("id").values_list("id", flat=True)


def named_worths(named: list[NamedPortfolio]) -> list[NamedWorth]:
    """What named portfolios are worth, with one look at the books for all of them."""
    members = {row.id: sorted(m.account_id for m in row.memberships.all()) for row in named}
    every = {account_id for accounts in members.values() for account_id in accounts}
    cash, holdings, prices = _books(Q(account__in=every))
    return [
        _named(row, members[row.id], _of(set(members[row.id]), cash, holdings, prices))
        for row in named
    ]


def own() -> Q:
    """Scope `user` names the person, so that the index of his rows serves the query."""
    entered = context.require()
    if entered.scope is Scope.TENANT:
        return Q()
    user_id: UUID | None = entered.actor.user_id
    return Q(user_id=user_id)


@exact()
def _named(named: NamedPortfolio, accounts: list[UUID], sides: list[Worth]) -> NamedWorth:
    ours = next((side for side in sides if side.currency == named.currency), None)
    equity = Decimal(0) if ours is None else ours.equity
    gained = None if equity is None else equity / named.initial_capital - 1
    rounded = None if gained is None else gained.quantize(_PLACES)
    return NamedWorth(named, accounts, sides, equity, rounded)


def _books(chosen: Q) -> tuple[list[Cash], list[Holding], dict[str, Decimal | None]]:
    """Cash, positions and prices: all that worth follows from."""
    cash = [Cash(b.account_id, b.currency, b.total) for b in Balance.objects.filter(chosen)]
    holdings = _holdings(chosen)
    quotes = market.quotes(sorted({h.instrument for h in holdings}))
    return cash, holdings, {symbol: quote.price for symbol, quote in quotes.items()}


def _of(
    accounts: set[UUID],
    cash: list[Cash],
    holdings: list[Holding],
    prices: Mapping[str, Decimal | None],
) -> list[Worth]:
    def belongs(row: Cash | Holding) -> bool:
        return row.account_id in accounts

    return worth(filter(belongs, cash), filter(belongs, holdings), prices)


def _holdings(chosen: Q) -> list[Holding]:
    """One of each account and instrument: the database adds what is closed to what is open.

    One position of them is open at most, and what is closed has no quantity.
    """
    by_instrument = Position.objects.filter(chosen).values_list("account_id", "instrument")
    rows = by_instrument.annotate(
        held=Sum("quantity"),
        cost=Sum("cost_basis", filter=Q(closed_at=None), default=Decimal(0)),
        realized=Sum("realized_pnl"),
    )
    books = list(rows.order_by())
    quotes = quote_currencies(instrument for _, instrument, *_ in books)
    return [
        Holding(account_id, instrument, quotes[instrument], quantity, cost, realized)
        for account_id, instrument, quantity, cost, realized in books
    ]
