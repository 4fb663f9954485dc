"""One account beside its exchange: what differs is found, decided as a whole, and put right."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID, uuid5

from django.db import transaction

from tenants import context
from tenants.context import Scope, TenantContext
from trading.brokers import actions as brokers
from trading.brokers import credentials
from trading.brokers.credentials import Keys
from trading.brokers.errors import AccountClosed, CredentialsMissing
from trading.brokers.models import Account
from trading.errors import NotFound
from trading.orders import halting
from trading.orders.models import Fill, Order, VenueIntent
from trading.positions.models import Position
from trading.values import exact
from trading.venues import booking, intents, ours
from trading.venues.client import Client
from trading.venues.differences import Differences, Finding, differences, mirrored
from trading.venues.errors import OrderUnknown, VenueError
from trading.venues.facts import Snapshot
from trading.venues.models import Reconciliation

# A trade can show up after a later one has: so far back they are asked for again.
_OVERLAP = timedelta(hours=1)
# How often the timer reports even when it has nothing new to say: from there on trades are asked.
_AT_LEAST = timedelta(hours=1)
_PATIENCE = 600.0  # seconds
_CODE = 20  # characters that a currency's name may have in the books
_log = logging.getLogger("bulkhead.venues")


@dataclass(frozen=True, slots=True)
class _Question:
    """What to ask the exchange, and by whose keys."""

    exchange: str
    keys: Keys = field(repr=False)
    since: datetime
    at: datetime
    open_ids: tuple[tuple[UUID, str, str], ...]  # order, its id there, symbol
    symbols: frozenset[str]  # in which something of ours can have happened since


def reconcile(
    tenant_id: UUID, account_id: UUID, *, reason: str, clock: Callable[[], datetime]
) -> Reconciliation | None:
    """Compare one account with its exchange and put our books right; a second run changes nothing.

    Gives the report, or None where there was nothing to tell or nothing to ask with. Raises
    TenantSuspended or UnknownTenant.
    """
    inside = TenantContext(tenant_id, intents.VENUE, Scope.TENANT)
    at = clock()
    with context.enter(inside):
        question = _question(account_id, at=at)
    if question is None:
        return None
    snapshot, code = _asked(question)
    with context.enter(inside):
        account = brokers.lock(account_id)
        if snapshot is None:
            return _failed(account, code, reason=reason, at=at)
        state, findings = _apply(account, snapshot, question.since, at=at, now=clock())
        until = snapshot.trades_until if state == Reconciliation.State.DONE else None
        return _report(account, state, findings, reason=reason, at=at, until=until)


def _question(account_id: UUID, *, at: datetime) -> _Question | None:
    """None for an account that is not there, is closed or has no keys: there is nothing to ask."""
    try:
        account = brokers.lock_open(account_id)
        keys = credentials.of(account)
    except (NotFound, AccountClosed, CredentialsMissing):
        return None
    since = _since(account)
    placed = VenueIntent.objects.filter(account=account, kind=VenueIntent.Kind.PLACE)
    rows = placed.exclude(venue_order_id="").filter(order__in=Order.objects.open())
    open_ids = rows.values_list("order_id", "venue_order_id", "order__instrument")
    symbols = _symbols(account, since)
    return _Question(account.exchange, keys, since, at, tuple(open_ids), symbols)


def _since(account: Account) -> datetime:
    """From where trades are asked for: where the last comparison stopped, if it did not see all."""
    done = account.reconciliations.filter(state=Reconciliation.State.DONE)
    last = done.order_by("-at", "-id").first()
    if last is not None and last.trades_until is not None:
        return last.trades_until
    return (account.created_at if last is None else last.at) - _OVERLAP


def _symbols(account: Account, since: datetime) -> frozenset[str]:
    orders = Order.objects.filter(account=account)
    alive = orders.open() | orders.filter(updated_at__gte=since)
    held = Position.objects.filter(account=account, closed_at=None)
    return frozenset(
        alive.values_list("instrument", flat=True).union(held.values_list("instrument", flat=True))
    )


def _asked(question: _Question) -> tuple[Snapshot | None, str]:
    """All that the exchange says, outside of every transaction; None and a code if it does not."""
    try:
        client = Client(question.exchange, question.keys, patience=_PATIENCE)
        client.prepare()
        return _snapshot(client, question), ""
    except VenueError as fault:
        return None, fault.code


def _snapshot(client: Client, question: _Question) -> Snapshot:
    """Trades are asked for on both sides of the totals: without new ones these fit together.

    Where there are more trades than are asked for at once, the rest is left for the next time.
    """
    orders = {order.id: order for order in client.open_orders(question.symbols)}
    missing = set()
    for order_id, venue_order_id, symbol in question.open_ids:
        if venue_order_id in orders:
            continue
        try:
            orders[venue_order_id] = client.order(venue_order_id, symbol)
        except OrderUnknown:
            missing.add(order_id)
    ask = partial(client.trades, question.symbols, since=question.since, now=question.at)
    before = ask()
    if before.until is not None:
        return Snapshot(
            orders=tuple(orders.values()), trades=before.rows, trades_until=before.until
        )
    totals = client.totals()
    after = ask()
    return Snapshot(
        orders=tuple(orders.values()),
        missing=frozenset(missing),
        trades=after.rows,
        trades_until=after.until,
        totals=totals if before == after else None,
    )


@exact()
def _apply(
    account: Account, venue: Snapshot, since: datetime, *, at: datetime, now: datetime
) -> tuple[str, list[Finding]]:
    """The account is locked. Fills first, then how orders stand, then money."""
    found = differences(ours.books(account, venue), venue)
    findings = list(found.findings)
    if not _book(account, found, now=now):
        return Reconciliation.State.FAILED, [*findings, {"code": intents.BOOKS_REFUSED}]
    if venue.trades_until is not None:
        findings.append({"code": "more_trades", "until": venue.trades_until.isoformat()})
    elif _fits(account, venue, since):
        money = mirrored(ours.books(account, venue), _named(venue.totals))
        for flow in money.flows:
            booking.mirror(account, flow, at=at, now=now)
        findings += money.findings
    return Reconciliation.State.DONE, findings


def _fits(account: Account, venue: Snapshot, since: datetime) -> bool:
    """Whether money may be compared: no call under way, and no fill that the snapshot lacks."""
    placing = VenueIntent.objects.filter(account=account, kind=VenueIntent.Kind.PLACE)
    if placing.outstanding().filter(attempts__gt=0).exists():
        return False
    seen = {booking.trade_id(trade) for trade in venue.trades}
    booked = Fill.objects.filter(account=account, model=booking.MODEL, executed_at__gt=since)
    return not booked.exclude(trade_id__in=seen).exists()


def _named(totals: dict[str, Decimal] | None) -> dict[str, Decimal] | None:
    """Without assets whose name the books have no room for."""
    if totals is None:
        return None
    return {code: total for code, total in totals.items() if len(code) <= _CODE}


def _book(account: Account, found: Differences, *, now: datetime) -> bool:
    """Orders and fills; False where the books refuse: it is all undone, and the account halted."""
    try:
        with transaction.atomic():
            _book_all(account, found, now=now)
    except intents.REFUSALS as fault:
        # Not with its text, which may hold amounts.
        _log.error("account %s is halted: %s", account.id, type(fault).__name__)
        brokers.halt(account_id=account.id, reason=intents.BOOKS_REFUSED, now=now)
        return False
    if found.fills:
        account.refresh_from_db()
        halting.look(account, now=now)
    return True


def _book_all(account: Account, found: Differences, *, now: datetime) -> None:
    touched = {order_id for order_id, _ in (*found.accepted, *found.fills)}
    touched |= {ending.order_id for ending in found.endings} | set(found.reopened)
    rows = Order.objects.select_for_update().filter(account=account, pk__in=touched).order_by("id")
    orders = {order.id: order for order in rows}
    for order in orders.values():
        order.account = account
    for order_id, venue_order_id in found.accepted:
        booking.accept(orders[order_id], venue_order_id, now=now)
    for order_id, trade in found.fills:
        booking.fill(orders[order_id], trade, now=now)
    for ending in found.endings:
        booking.end(orders[ending.order_id], ending.status, reason=ending.reason, now=now)
    for order_id in found.reopened:
        booking.reopen(orders[order_id], now=now)


def _failed(account: Account, code: str, *, reason: str, at: datetime) -> Reconciliation | None:
    if code == credentials.REFUSED:
        brokers.halt(account_id=account.id, reason=code, now=at)
    findings: list[Finding] = [{"code": code}]
    return _report(account, Reconciliation.State.FAILED, findings, reason=reason, at=at)


def _report(
    account: Account,
    state: str,
    findings: list[Finding],
    *,
    reason: str,
    at: datetime,
    until: datetime | None = None,
) -> Reconciliation | None:
    """The timer, which comes every minute, is reported when it has something new to say."""
    if reason == Reconciliation.Reason.TIMER and until is None:
        last = account.reconciliations.order_by("-at", "-id").first()
        said = None if last is None else (last.state, last.findings)
        if last is not None and said == (state, findings) and at < last.at + _AT_LEAST:
            return None
    report = Reconciliation(
        id=uuid5(account.id, f"reconciliation:{at.isoformat()}"),
        account=account,
        user_id=account.user_id,
        reason=reason,
        state=state,
        findings=findings,
        at=at,
        trades_until=until,
    )
    report.save(force_insert=True)
    return report
