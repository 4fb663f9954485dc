"""What may be done with portfolios: sample what accounts are worth, and name sets of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.audit import actions as audit
from tenants import context
from tenants.identifiers import new_id
from trading.brokers import actions as brokers
from trading.brokers.models import Account, CashMovement
from trading.errors import NotFound
from trading.orders import halting
from trading.orders.models import Fill
from trading.portfolio import thinning
from trading.portfolio.errors import PortfolioNameTaken
from trading.portfolio.models import EquityPoint, NamedPortfolio, NamedPortfolioAccount
from trading.positions import priced
from trading.positions.priced import Priced
from trading.values import exact, plain

_PLACES = Decimal(1).scaleb(-18)
_BATCH = 1_000
_KEY = ["tenant_id", "account", "currency", "minute"]
_SEEN = ["at", "through", "cash", "cost_basis", "positions_value", "missing", "holdings"]
_NAMED = ("name", "initial_capital", "currency")


def sample_fact(fact: CashMovement | Fill) -> None:
    """Have the account of a fact that was just booked sampled, once its books are complete.

    That is right before the commit, under the same lock, and once for all facts until then.
    """
    context.before_commit(_sample_all, (fact.account, _booked_at(fact)))


def sample(*, account_id: UUID, now: datetime) -> None:
    """Keep what an account is worth now; one that lost as much as it may is halted.

    Prices alone do that, when nothing is placed or filled. Raises NotFound.
    """
    account = brokers.lock(account_id)
    halting.look(account, now=now)
    _sample(account, now=now)


def thin(*, now: datetime) -> int:
    """Delete the points of the entered tenant that are finer than their age deserves; how many."""
    old = EquityPoint.objects.filter(at__lt=now - thinning.FINE)
    accounts = old.order_by("account_id").values_list("account_id", flat=True).distinct()
    return sum(_thin(account_id, now) for account_id in list(accounts))


def _thin(account_id: UUID, now: datetime) -> int:
    """Of one account, all currencies of a moment together."""
    points = EquityPoint.objects.filter(account=account_id)
    moments = points.filter(at__lt=now - thinning.FINE).order_by("at").values_list("at", flat=True)
    gone = thinning.needless(list(moments.distinct()), now=now)
    batches = (gone[n : n + _BATCH] for n in range(0, len(gone), _BATCH))
    return sum(points.filter(at__in=batch).delete()[0] for batch in batches)


def create_portfolio(
    *,
    user_id: UUID,
    name: str,
    initial_capital: Decimal,
    currency: str,
    accounts: Iterable[UUID],
    now: datetime,
) -> NamedPortfolio:
    """Name a set of a person's own accounts. Raises PortfolioNameTaken or NotFound."""
    _check_name(user_id, name)
    made = NamedPortfolio(
        user_id=user_id,
        name=name,
        initial_capital=initial_capital,
        currency=currency,
        created_at=now,
        updated_at=now,
    )
    made.save(force_insert=True)
    _put(made, accounts)
    audit.record("portfolio.created", on=made, after=_said(made))
    return made


def change_portfolio(
    *,
    portfolio_id: UUID,
    precondition: Callable[[NamedPortfolio], None],
    now: datetime,
    accounts: Iterable[UUID] | None = None,
    **changes: Any,
) -> NamedPortfolio:
    """Change name, `initial_capital`, `currency` or the accounts.

    Raises NotFound or PortfolioNameTaken. `precondition` sees the portfolio under its lock, and
    raises to refuse the change.
    """
    named = _existing(portfolio_id)
    precondition(named)
    before = _said(named)
    if "name" in changes:
        _check_name(named.user_id, changes["name"], besides=named.id)
    for name, value in changes.items():
        setattr(named, name, value)
    named.updated_at = now
    named.save(update_fields=[*_NAMED, "updated_at"])
    if accounts is not None:
        named.memberships.all().delete()
        _put(named, accounts)
    audit.record("portfolio.changed", on=named, before=before, after=_said(named))
    return named


def delete_portfolio(*, portfolio_id: UUID) -> None:
    """Forget a name; its accounts stay as they are. Raises NotFound."""
    named = _existing(portfolio_id)
    audit.record("portfolio.deleted", on=named, before=_said(named))
    named.memberships.all().delete()
    named.delete()


def _booked_at(fact: CashMovement | Fill) -> datetime:
    if isinstance(fact, CashMovement):
        return fact.created_at
    return fact.recorded_at or fact.executed_at


def _sample_all(booked: list[tuple[Account, datetime]]) -> None:
    moments: dict[Account, datetime] = {}
    for account, at in booked:
        moments[account] = max(at, moments.get(account, at))
    for account, at in moments.items():
        _sample(account, now=at)


@exact()
def _sample(account: Account, *, now: datetime) -> None:
    """One point for each currency; time never runs backwards, though requests may overtake."""
    newest = EquityPoint.objects.filter(account=account).order_by("-at")
    at = max(filter(None, (now, newest.values_list("at", flat=True).first())))
    cash = dict(account.balances.values_list("currency", "total"))
    held = priced.of(account)
    moment = {
        "account": account,
        "user_id": account.user_id,
        "at": at,
        "minute": at.replace(second=0, microsecond=0),
        "through": new_id(),
    }
    sides = sorted({*cash, *(holding.currency for holding in held)})
    EquityPoint.objects.bulk_create(
        [EquityPoint(**moment, **_side(currency, cash, held)) for currency in sides],
        update_conflicts=True,
        unique_fields=_KEY,
        update_fields=_SEEN,
    )


def _side(currency: str, cash: dict[str, Decimal], held: list[Priced]) -> dict[str, Any]:
    """One currency's side of an account, in the words of a point's columns."""
    ours = [holding for holding in held if holding.currency == currency]
    missing = sorted({holding.instrument for holding in ours if holding.value is None})
    values = [holding.value.quantize(_PLACES) for holding in ours if holding.value is not None]
    return {
        "currency": currency,
        "cash": cash.get(currency, Decimal(0)),
        "cost_basis": sum((holding.cost for holding in ours), Decimal(0)),
        "positions_value": None if missing else sum(values, Decimal(0)),
        "missing": missing,
        "holdings": {str(holding.position_id): _kept(holding) for holding in ours},
    }


def _kept(holding: Priced) -> list[str | None]:
    value = None if holding.value is None else plain(holding.value.quantize(_PLACES))
    return [holding.instrument, plain(holding.cost), value]


def _existing(portfolio_id: UUID) -> NamedPortfolio:
    """The portfolio, locked. Raises NotFound."""
    found = NamedPortfolio.objects.select_for_update().filter(pk=portfolio_id).first()
    if found is None:
        raise NotFound("There is no such portfolio.")
    return found


def _check_name(user_id: UUID, name: str, besides: UUID | None = None) -> None:
    taken = NamedPortfolio.objects.filter(user_id=user_id, name=name).values_list("id", flat=True)
    if taken.first() not in (None, besides):
        raise PortfolioNameTaken


def _put(named: NamedPortfolio, accounts: Iterable[UUID]) -> None:
    """Put accounts of the portfolio's owner into it. Raises NotFound for any other."""
    wanted = set(accounts)
    own = Account.objects.filter(user_id=named.user_id, pk__in=wanted)
    if own.count() != len(wanted):
        raise NotFound("There is no such account.")
    NamedPortfolioAccount.objects.bulk_create(
        NamedPortfolioAccount(portfolio=named, account_id=account_id, user_id=named.user_id)
        for account_id in sorted(wanted)
    )


def _said(named: NamedPortfolio) -> dict[str, Any]:
    ids = named.memberships.order_by("account_id").values_list("account_id", flat=True)
    said = {name: getattr(named, name) for name in _NAMED}
    return {**said, "accounts": [str(account_id) for account_id in ids]}
