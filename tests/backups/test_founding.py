"""A new tenant is made of a backup with all its rows, or not at all, wherever it breaks off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest

from accounts.access.models import Membership
from accounts.members import actions as members
from backups import restoring
from backups.errors import NotRestored
from tenants.identifiers import schema_of
from tenants.lifecycle import actions as lifecycle
from tenants.lifecycle import founding, making
from tenants.lifecycle.errors import SlugTaken
from tenants.models import Tenant
from tests.backups.exchanges import Killed, meanwhile
from tests.backups.keepers import restore_into, rows, take
from tests.cast import House, now
from tests.isolation.database import connected
from tests.market import Market
from tests.tenants.lifecycle.test_commands import run
from tests.tenants.moving.movers import trade

Break = Callable[[list[UUID]], Any]


def kill(*_: Any, **__: Any) -> None:
    raise Killed


def _with(owner: Any, name: str) -> Break:
    """Breaks off after a function has done its work; the tenant's id is kept."""

    @contextmanager
    def broken(made: list[UUID]) -> Iterator[None]:
        real = getattr(owner, name)

        def watched(tenant: Tenant, *given: Any, **how: Any) -> None:
            real(tenant, *given, **how)
            made.append(tenant.pk)
            kill()

        with mock.patch.object(owner, name, watched):
            yield

    return broken


def _while_filled(*, is_after: bool) -> Break:
    def broken(made: list[UUID]) -> Any:
        def note(at: Any) -> None:
            made.append(at.tenant_id)
            kill()

        return meanwhile(note, is_after=is_after)

    return broken


PHASES: dict[str, Break] = {
    "schema": _with(making, "schema_of"),
    "begun": _while_filled(is_after=False),
    "filled": _while_filled(is_after=True),
    "reserved": _with(founding, "_reserve"),
}


def is_anywhere(tenant_id: UUID) -> bool:
    """Whether the database has a row, or a schema, of such a tenant."""
    with connected("DATABASE_SUPERUSER_URL") as database:
        query = "SELECT to_regnamespace(%s) IS NOT NULL OR EXISTS (SELECT FROM trading_order"
        query += " WHERE tenant_id = %s) OR EXISTS (SELECT FROM tenants_tenant WHERE id = %s)"
        found = database.execute(query.encode(), [schema_of(tenant_id), tenant_id, tenant_id])
        return bool(found.fetchone()[0])


@pytest.mark.parametrize("phase", PHASES)
def test_what_is_broken_off_before_it_is_there_leaves_nothing(
    house: House, market: Market, phase: str
) -> None:
    trade(house.alice, market)
    backup, was, slug = take(house.tenant), rows(house.tenant), f"r{uuid4().hex[:12]}"
    made: list[UUID] = []
    with PHASES[phase](made), pytest.raises(Killed):
        restore_into(backup, slug)
    assert made
    assert not is_anywhere(made[0])
    assert not Tenant.objects.filter(slug=slug).exists()
    assert rows(restore_into(backup, slug))["trading_order"] == was["trading_order"]


def test_what_is_broken_off_before_its_people_are_in_is_nobodys_and_gone_on_with(
    house: House, market: Market
) -> None:
    trade(house.alice, market)
    backup, was, slug = take(house.tenant), rows(house.tenant), f"r{uuid4().hex[:12]}"
    with mock.patch.object(members, "ensure_member", kill), pytest.raises(Killed):
        restore_into(backup, slug)
    left = Tenant.objects.get(slug=slug)
    assert (left.status, str(backup.id) in left.status_reason) == ("provisioning", True)
    assert not Membership.objects.filter(tenant=left).exists()
    terms: dict[str, Any] = {"slug": slug, "name": slug, "tier": left.tier, "now": now()}
    with pytest.raises(SlugTaken):
        lifecycle.create_tenant(**terms, by="system:test")
    with pytest.raises(SlugTaken):
        lifecycle.ask_for_tenant(**terms, owner_email="o@x.example", by="system:test")
    with pytest.raises(SlugTaken):
        restore_into(take(house.tenant), slug)
    done = restore_into(backup, slug)
    done.refresh_from_db()
    assert (done.pk, done.status, done.status_reason) == (left.pk, "active", "")
    assert rows(done)["trading_order"] == was["trading_order"]
    assert Membership.objects.filter(tenant=done).count() == 4
    with pytest.raises(SlugTaken):
        restore_into(backup, slug)


def test_rows_that_the_database_refuses_are_named_and_leave_nothing(
    house: House, market: Market
) -> None:
    trade(house.alice, market)
    backup, slug = take(house.tenant), f"r{uuid4().hex[:12]}"
    without_accounts = mock.patch.object(restoring, "_not_copied", lambda: {"trading_account"})
    with without_accounts, pytest.raises(NotRestored, match=r"table .* violates foreign key"):
        restore_into(backup, slug)
    assert not Tenant.objects.filter(slug=slug).exists()


def test_one_that_nobody_goes_on_with_is_deleted(house: House) -> None:
    backup, slug = take(house.tenant), f"r{uuid4().hex[:12]}"
    with mock.patch.object(members, "ensure_member", kill), pytest.raises(Killed):
        restore_into(backup, slug)
    run("delete_tenant", slug, "--yes")
    assert Tenant.objects.get(slug=slug).status == "deleted"


def test_a_slug_that_is_taken_meanwhile_is_the_others(house: House, market: Market) -> None:
    trade(house.alice, market)
    backup, slug, made = take(house.tenant), f"r{uuid4().hex[:12]}", list[UUID]()

    def take_it(at: Any) -> None:
        made.append(at.tenant_id)
        terms: dict[str, Any] = {"slug": slug, "name": slug, "tier": "starter", "now": now()}
        lifecycle.create_tenant(**terms, by="system:test")

    with meanwhile(take_it), pytest.raises(SlugTaken):
        restore_into(backup, slug)
    assert not is_anywhere(made[0])
    assert rows(Tenant.objects.get(slug=slug))["trading_order"] == []
