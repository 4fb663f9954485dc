"""Rows come back whose owner was deleted since: they say whose they are, and let nobody in."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.access.models import Membership
from accounts.mfa import actions as mfa
from accounts.mfa.models import Authenticator
from accounts.trail.models import PlatformEvent
from accounts.users import actions as users
from accounts.users.models import User
from backups import catalogue
from backups.models import Backup
from backups.storage.interface import Storage
from tests.accounts.doors import post
from tests.backups.keepers import entry_of, restore, restore_into, rows, take
from tests.cast import PASSWORD, House, now
from tests.isolation.database import connected
from tests.market import Market
from tests.tenants.moving.movers import trade


def deleted(user_id: UUID) -> None:
    """As an installation does it that has to: with all that hangs on the person."""
    with connected("DATABASE_SUPERUSER_URL") as database:
        database.execute("SET session_replication_role = replica")
        for statement in (
            "DELETE FROM public.accounts_membership WHERE user_id = %s",
            "DELETE FROM public.accounts_authenticator WHERE user_id = %s",
            "DELETE FROM public.accounts_user WHERE id = %s",
        ):
            database.execute(statement.encode(), [user_id])
        database.commit()


@pytest.fixture
def traded(house: House, market: Market) -> tuple[Backup, dict[str, list[Any]]]:
    """Bob, of the staff and with a second factor, has traded."""
    trade(house.bob, market)
    User.objects.filter(pk=house.bob.user_id).update(is_staff=True, is_superuser=True)
    mfa.enrol(user_id=house.bob.user_id, email=house.bob.email, now=now())
    return take(house.tenant), rows(house.tenant)


def assert_is_shut_out(house: House, email: str) -> None:
    bob = User.objects.get(pk=house.bob.user_id)
    assert (bob.email, bob.is_active, bob.is_email_proven) == (email, False, False)
    assert (bob.is_staff, bob.is_superuser, bob.has_usable_password()) == (False, False, False)
    assert not Authenticator.objects.filter(user_id=bob.pk).exists()
    assert not Membership.objects.filter(user_id=bob.pk).exists()
    body = {"email": email, "password": PASSWORD, "tenant": house.tenant.slug}
    assert post("auth/login/", body).status_code == 401


def test_a_person_who_is_gone_stands_for_the_rows_and_is_shut_out(
    house: House, traded: tuple[Backup, dict[str, list[Any]]], storage: Storage
) -> None:
    backup, was = traded
    deleted(house.bob.user_id)
    for _ in range(2):
        restore(backup)
        assert rows(house.tenant) == was
        assert_is_shut_out(house, house.bob.email)
    remembered = PlatformEvent.objects.filter(action="person.remembered")
    assert remembered.filter(key=str(house.bob.user_id)).count() == 1
    # The next backup names the person again, though nobody is a member by that name.
    manifest = catalogue.check(storage, entry_of(take(house.tenant)))
    assert {p.email: p.role for p in manifest.people}[house.bob.email] == ""


def test_so_it_is_in_a_new_tenant(
    house: House, traded: tuple[Backup, dict[str, list[Any]]]
) -> None:
    backup, was = traded
    deleted(house.bob.user_id)
    made = restore_into(backup, f"r{uuid4().hex[:12]}")
    assert rows(made)["trading_order"] == was["trading_order"]
    assert_is_shut_out(house, house.bob.email)
    members = set(Membership.objects.filter(tenant=made).values_list("email", flat=True))
    assert members == {house.alice.email, house.olga.email, house.vera.email}


def test_an_email_that_is_somebody_elses_by_now_stays_theirs(
    house: House, traded: tuple[Backup, dict[str, list[Any]]]
) -> None:
    backup, was = traded
    deleted(house.bob.user_id)
    other = users.ensure(email=house.bob.email, password=PASSWORD, now=now())
    restore(backup)
    assert rows(house.tenant) == was
    assert_is_shut_out(house, f"{house.bob.user_id}@gone.invalid")
    other.refresh_from_db()
    assert (other.email, other.is_active) == (house.bob.email, True)
    assert other.check_password(PASSWORD)


def test_who_is_there_is_left_as_they_are(
    house: House, traded: tuple[Backup, dict[str, list[Any]]]
) -> None:
    """A new email, a new password, or having been shut out since: the person's, not the rows'."""
    backup, _ = traded
    new = f"robert@{house.tenant.slug}.example"
    User.objects.filter(pk=house.bob.user_id).update(email=new)
    User.objects.filter(pk=house.alice.user_id).update(is_active=False)
    kept = User.objects.filter(pk__in=[house.bob.user_id, house.alice.user_id]).order_by("pk")
    was = list(kept.values())
    restore(backup)
    assert list(kept.values()) == was
