"""Rows that no person writes, by hand: with a canary in every text that a machine would write."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal
from unittest import mock
from uuid import UUID, uuid4

from accounts.audit import actions as audit
from accounts.sessions.models import Session
from accounts.trail import actions as trail
from config.logs import request_id
from tenants.identifiers import new_id
from tenants.models import Domain, Tenant, TenantWorkflow
from tests.cast import Person, job, now
from tests.market import Market
from trading.brokers import actions as brokers
from trading.models import (
    Account,
    EquityPoint,
    Fill,
    Order,
    Position,
    PositionLot,
    Reconciliation,
    VenueIntent,
)
from trading.notifications import events
from trading.values import Liquidity, Side

_PRICE = Decimal(100)
_ONE = Decimal(1)


def nobody_calls() -> AbstractContextManager[object]:
    """What is placed at an exchange stays here."""
    return mock.patch("trading.orders.outbox.send")


def fund(tenant: Tenant, account_id: str) -> None:
    """Money in an account at an exchange, as a comparison with it would book it."""
    with job(tenant):
        account = Account.objects.get(pk=account_id)
        brokers.move(brokers.balance_of(account, "USD"), free=Decimal(1000), now=now())
        brokers.flow(account, "USD", Decimal(1000), now=now())


def write(person: Person, canary: str, ids: dict[str, str], market: Market) -> None:
    """All that machines would write about a person; `ids` are those of their rows by name."""
    with job(person.tenant, name=canary):
        _book(ids["ExchangeOrder"], canary, market)
        _report(Account.objects.get(pk=ids["ExchangeAccount"]), canary)
        _estimate(Account.objects.get(pk=ids["Elsewhere"]), canary)
        _record(canary)
    with person.inside():
        said = {"canary": canary}
        events.publish(user_id=person.user_id, kind=f"said.{canary}", data=said, now=now())
    _end_a_session(person, canary)


def write_about(tenant: Tenant) -> None:
    """What the platform notes about a tenant, which knows it by its slug."""
    slug = tenant.slug
    Tenant.objects.filter(pk=tenant.id).update(status_reason=slug, region=slug)
    Domain.objects.create(tenant=tenant, domain=f"www.{slug}.example")
    wished = {"by": f"system:{slug}", "owner_email": f"owner@{slug}.example", "asked_at": now()}
    TenantWorkflow.objects.create(tenant=tenant, kind="provision", finished_at=now(), **wished)
    said = {"kind": slug, "key": slug, "before": {slug: slug}, "after": {slug: slug}}
    token = request_id.set(slug)
    try:
        trail.record(f"said.{slug}", by=f"system:{slug}", **said)
    finally:
        request_id.reset(token)


def _book(order_id: str, canary: str, market: Market) -> None:
    """What the exchange's answer to an order comes to: another order, filled, and what it bought.

    The symbol stays the market's: worth is reckoned with what is listed.
    """
    placed = Order.objects.get(pk=order_id)
    errors = {"last_error": canary, "venue_order_id": canary}
    VenueIntent.objects.filter(order=placed).update(**errors)
    position = _holding(placed.account, market)
    order = _filled(placed, canary)
    fill = Fill(
        order=order,
        account=placed.account,
        position=position,
        user_id=placed.user_id,
        instrument=market.symbol,
        side=Side.BUY,
        quantity=_ONE,
        price=_PRICE,
        fee=Decimal(0),
        fee_currency=canary,
        realized_pnl=Decimal(0),
        liquidity=Liquidity.TAKER,
        trade_id=canary,
        executed_at=now(),
        recorded_at=now(),
        model=canary,
        source={"canary": canary},
    )
    fill.save(force_insert=True)
    PositionLot(
        position=position,
        fill=fill,
        user_id=placed.user_id,
        opened_at=now(),
        price=_PRICE,
        quantity=_ONE,
        remaining=_ONE,
    ).save(force_insert=True)


def _holding(account: Account, market: Market) -> Position:
    position = Position(
        account=account,
        user_id=account.user_id,
        instrument=market.symbol,
        quantity=_ONE,
        average_price=_PRICE,
        cost_basis=_PRICE,
        opened_at=now() - timedelta(days=1),
    )
    position.save(force_insert=True)
    return position


def _filled(placed: Order, canary: str) -> Order:
    """Another one like it, that has been filled."""
    columns = {f.attname: getattr(placed, f.attname) for f in Order._meta.concrete_fields}
    del columns["tenant_id"]
    ended = {
        "id": new_id(),
        "client_order_id": f"filled {canary}",
        "status": "filled",
        "status_reason": canary,
        "filled_quantity": _ONE,
        "locked": Decimal(0),
        "locked_currency": canary,
        "top_ups": [[now().isoformat(), canary]],
    }
    order = Order(**{**columns, **ended})
    order.save(force_insert=True)
    return order


def _report(account: Account, canary: str) -> None:
    """Of an exchange that could not be asked."""
    report = {"reason": "request", "state": "failed", "findings": [{"code": canary}]}
    made = Reconciliation(account=account, user_id=account.user_id, at=now(), **report)
    made.save(force_insert=True)


def _estimate(account: Account, canary: str) -> None:
    """An account that was halted while it held what has no price."""
    Account.objects.filter(pk=account.pk).update(status_reason=canary)
    at = now()
    EquityPoint(
        account=account,
        user_id=account.user_id,
        at=at,
        minute=at.replace(second=0, microsecond=0),
        through=new_id(),
        currency=canary,
        cash=Decimal(0),
        cost_basis=_ONE,
        missing=[canary],
        holdings={str(uuid4()): [canary, "1", None]},
    ).save(force_insert=True)


def _record(canary: str) -> None:
    """An entry of the tenant's trail, by the job that the context names."""
    said = {"kind": canary, "key": canary, "before": {canary: canary}, "after": {canary: canary}}
    token = request_id.set(canary)
    try:
        audit.record(f"said.{canary}", **said)
    finally:
        request_id.reset(token)


def _end_a_session(person: Person, canary: str) -> None:
    where: dict[str, UUID] = {"tenant_id": person.tenant.id, "user_id": person.user_id}
    Session.objects.create(
        **where,
        created_at=now(),
        last_seen_at=now(),
        expires_at=now() + timedelta(days=1),
        ended_at=now(),
        ended_because=canary,
    )
