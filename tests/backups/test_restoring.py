"""A backup is put back as it was, or not at all; on either tier, from either tier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from accounts.access.models import Membership
from accounts.access.roles import Role
from accounts.audit.models import AuditEvent
from accounts.users.models import User
from backups import catalogue, queries, restoring, snapshot
from backups.archive.errors import ArchiveUnfit, ForeignArchive
from backups.errors import NoBackup, NotRestorable, OtherShape, WrongBackupKey
from backups.models import Backup
from tenants.lifecycle import actions as lifecycle
from tenants.lifecycle.errors import SlugTaken
from tenants.models import Tenant, TenantMove
from tenants.moving.errors import MoveUnderWay
from tests.backups.keepers import (
    BY,
    archive_of,
    entry_of,
    restore,
    restore_into,
    rows,
    take,
)
from tests.cast import House, Person, job, now
from tests.isolation.database import connected
from tests.market import Market
from tests.scenarios.test_first_trade import order
from tests.tenants.lifecycle.test_commands import run
from tests.tenants.moving.movers import PLANS, away, home, move, trade
from trading.models import ExchangeCredential

_INSERT = (
    'INSERT INTO "{}".trading_notification (tenant_id, id, user_id, number, kind, at, data)'
    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
)


def a_slug() -> str:
    return f"r{uuid4().hex[:12]}"


def change(house: House, account: str, market: Market) -> None:
    """Rows that come, that go, and that are others now."""
    trade(house.bob, market)
    waits = house.alice.get("orders/?type=limit").json()["results"][0]["id"]
    assert house.alice.request("DELETE", f"orders/{waits}/").status_code == 200
    assert house.alice.request("PATCH", f"accounts/{account}/", {"name": "x"}).status_code == 200
    assert house.alice.post("orders/", order(account, market)).status_code == 201


def test_a_tenant_goes_back_to_what_it_was_and_forth_again(house: House, market: Market) -> None:
    account = trade(house.alice, market)
    trade(house.mallory, market)
    was = rows(house.tenant)
    backup = take(house.tenant)
    change(house, account, market)
    since, theirs = rows(house.tenant), rows(house.mallory.tenant)
    done = restore(backup)
    assert rows(house.tenant) == was != since
    assert any(each.extra for each in done.differences)
    assert any(each.changed for each in done.differences)
    restore(Backup.objects.get(pk=done.undo))
    assert rows(house.tenant) == since
    assert rows(house.mallory.tenant) == theirs


def test_it_trades_on_after_it(house: House, market: Market) -> None:
    account = trade(house.alice, market)
    backup = take(house.tenant)
    change(house, account, market)
    restore(backup)
    assert house.alice.post("orders/", order(account, market)).status_code == 201
    market.feed_bar(open="60", high="61", low="45", close="50")
    filled = house.alice.get(f"orders/?account={account}&status=filled").json()["results"]
    assert len(filled) == 5  # three before, the one that waited, and the new one


def test_the_trail_stays_and_says_so(house: House, market: Market) -> None:
    account = trade(house.alice, market)
    backup = take(house.tenant)
    change(house, account, market)
    with job(house.tenant):
        before = set(AuditEvent.objects.values_list("id", flat=True))
    restore(backup)
    with job(house.tenant):
        events = AuditEvent.objects.exclude(pk__in=before)
        assert [event.action for event in events] == ["tenant.restored"]
        assert AuditEvent.objects.count() == len(before) + 1
    call_command("verify_audit", house.tenant.slug, "--json")


def test_a_backup_of_one_tier_is_put_back_on_the_other(house: House, market: Market) -> None:
    account = trade(house.alice, market)
    was, lived = rows(house.tenant), home(house)
    backup = take(house.tenant)
    move(house, PLANS[house.tier])
    change(house, account, market)
    restore(backup)
    assert rows(house.tenant) == was
    assert home(house) != lived
    assert away(house, lived)
    call_command("verify_audit", house.tenant.slug, "--json")


def test_a_tenant_whose_rows_are_gone_has_them_again(house: House, market: Market) -> None:
    """The trail too, with the chain that it had."""
    trade(house.alice, market)
    was = rows(house.tenant, without=frozenset())
    backup = take(house.tenant)
    with connected("DATABASE_SUPERUSER_URL") as database:
        database.execute(b"SET session_replication_role = replica")
        for name in was:
            statement = f'DELETE FROM "{home(house)}"."{name}" WHERE tenant_id = %s'
            database.execute(statement.encode(), [house.tenant.id])
        database.commit()
    assert not any(rows(house.tenant, without=frozenset()).values())
    restore(backup)
    found = rows(house.tenant, without=frozenset())
    assert {name: found[name] for name in was if "audit" not in name} == {
        name: was[name] for name in was if "audit" not in name
    }
    assert len(found["audit_auditevent"]) == len(was["audit_auditevent"]) + 1
    call_command("verify_audit", house.tenant.slug, "--json")


def test_nothing_to_do_is_done(house: House, market: Market) -> None:
    trade(house.alice, market)
    backup = take(house.tenant)
    done = restore(backup)
    assert all(each.is_none for each in done.differences)


def test_a_new_tenant_has_all_its_rows_and_people(house: House, market: Market) -> None:
    account = trade(house.alice, market)
    was = rows(house.tenant)
    backup = take(house.tenant)
    change(house, account, market)
    made = restore_into(backup, a_slug())
    copied = rows(made)
    for name in ("trading_idempotentrequest", "trading_venueintent"):
        assert copied.pop(name) == []
        was.pop(name)
    assert copied == was
    assert (made.placement, made.tier) == (house.tenant.placement, house.tier)
    alice = Person("alice", house.alice.user_id, house.alice.email, made, Role.TRADER)
    assert alice.get(f"accounts/{account}/").json()["name"] == "paper"
    assert house.alice.get(f"accounts/{account}/").json()["name"] == "x"
    assert alice.post("orders/", order(account, market)).status_code == 201
    call_command("verify_audit", made.slug, "--json")


def test_keys_of_an_exchange_are_not_in_two_tenants(house: House) -> None:
    real = {"name": "real", "kind": "exchange", "exchange": "kraken"}
    account = house.alice.post("accounts/", real).json()["id"]
    written = {"api_key": "k", "api_secret": "s"}
    path = f"accounts/{account}/credentials/"
    assert house.alice.request("PUT", path, written).status_code == 200
    made = restore_into(take(house.tenant), a_slug())
    with job(house.tenant):
        assert ExchangeCredential.objects.count() == 1
    with job(made):
        assert not ExchangeCredential.objects.exists()


def test_who_was_shut_out_since_is_not_let_in_again(house: House) -> None:
    backup = take(house.tenant)
    Membership.objects.filter(tenant=house.tenant, user_id=house.bob.user_id).delete()
    Membership.objects.filter(tenant=house.tenant, user_id=house.vera.user_id).update(role="trader")
    made = restore_into(backup, a_slug())
    found = Membership.objects.filter(tenant=made).values_list("email", "role")
    assert dict(found) == {
        house.alice.email: "trader",
        house.olga.email: "owner",
        house.vera.email: "trader",
    }


def test_a_tenant_that_is_gone_comes_back_as_a_new_one(house: House, market: Market) -> None:
    """As after the database is lost: known from the storage alone."""
    trade(house.alice, market)
    backup, was = take(house.tenant), rows(house.tenant)
    User.objects.filter(pk=house.bob.user_id).update(is_active=False)
    entry = entry_of(backup)
    with connected("DATABASE_SUPERUSER_URL") as database:
        for statement in (
            "DELETE FROM public.accounts_membership WHERE tenant_id = %s",
            "DELETE FROM public.backups_backup WHERE tenant_id = %s",
            "DELETE FROM public.tenants_tenant WHERE id = %s",
        ):
            database.execute(b"SET session_replication_role = replica")
            database.execute(statement.encode(), [house.tenant.id])
        database.commit()
    with pytest.raises(NotRestorable, match="into a new one"):
        restoring.restore(entry=entry, by=BY, now=now(), report=print)
    made = restore_into(backup, a_slug())
    assert rows(made)["trading_order"] == was["trading_order"]
    emails = set(Membership.objects.filter(tenant=made).values_list("email", flat=True))
    assert emails == {house.alice.email, house.olga.email, house.vera.email}


def test_a_deleted_tenant_comes_back_with_its_people(house: House, market: Market) -> None:
    """From its last backup, and never in its own place."""
    trade(house.alice, market)
    was = rows(house.tenant)
    run("delete_tenant", house.tenant.slug, "--yes")
    last = Backup.objects.get(tenant_id=house.tenant.pk, reason="last")
    with pytest.raises(NotRestorable, match="into a new one"):
        restore(last)
    made = restore_into(last, a_slug())
    assert rows(made)["trading_order"] == was["trading_order"]
    people = (house.alice, house.bob, house.olga, house.vera)
    emails = set(Membership.objects.filter(tenant=made).values_list("email", flat=True))
    assert emails == {person.email for person in people}


def test_nobody_elses_tenant_that_is_being_made_takes_the_rows(house: House) -> None:
    slug = a_slug()
    lifecycle.ask_for_tenant(
        slug=slug, name=slug, tier="starter", owner_email="o@x.example", by="system:test", now=now()
    )
    with pytest.raises(SlugTaken):
        restore_into(take(house.tenant), slug)
    with pytest.raises(SlugTaken):
        lifecycle.create_tenant(slug=slug, name=slug, tier="starter", by="system:test", now=now())


def spoil(backup: Backup, at: float) -> None:
    path = archive_of(backup)
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("at", [0.1, 0.5, 0.99])
def test_a_flipped_bit_restores_nothing(house: House, market: Market, at: float) -> None:
    trade(house.alice, market)
    backup, was = take(house.tenant), rows(house.tenant, without=frozenset())
    spoil(backup, at)
    slug = a_slug()
    for act in (lambda: restore_into(backup, slug), lambda: restore(backup)):
        with pytest.raises((ArchiveUnfit, WrongBackupKey)):
            act()
    assert rows(house.tenant, without=frozenset()) == was
    assert not Tenant.objects.filter(slug=slug).exists()


def test_a_torn_archive_restores_nothing(house: House, market: Market) -> None:
    trade(house.alice, market)
    backup, was = take(house.tenant), rows(house.tenant, without=frozenset())
    path = archive_of(backup)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ArchiveUnfit):
        restore(backup)
    assert rows(house.tenant, without=frozenset()) == was


def test_an_archive_that_is_changed_between_two_looks_restores_nothing(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade(house.alice, market)
    backup, was = take(house.tenant), rows(house.tenant, without=frozenset())
    check = catalogue.check

    def checked(*args: Any) -> Any:
        found = check(*args)
        spoil(backup, 0.9)
        return found

    monkeypatch.setattr(catalogue, "check", checked)
    with pytest.raises(ArchiveUnfit):
        restore(backup)
    assert rows(house.tenant, without=frozenset()) == was


def test_another_master_key_opens_nothing(house: House, settings: Settings) -> None:
    entry = entry_of(take(house.tenant))
    settings.BACKUP_KEYS = ["33" * 32]
    with pytest.raises(WrongBackupKey):
        restoring.restore_into(entry=entry, slug=a_slug(), by=BY, now=now(), report=print)
    with pytest.raises(WrongBackupKey):
        restoring.compare(entry=entry, report=print)


def test_another_tenants_archive_in_its_place_is_refused(house: House) -> None:
    ours, theirs = take(house.tenant), take(house.mallory.tenant)
    archive_of(ours).write_bytes(archive_of(theirs).read_bytes())
    with pytest.raises(ForeignArchive):
        restore(ours)


def test_another_archive_of_its_own_in_its_place_is_refused(house: House) -> None:
    first, second = take(house.tenant), take(house.tenant)
    archive_of(first).write_bytes(archive_of(second).read_bytes())
    with pytest.raises(ArchiveUnfit):
        restore(first)


def test_another_tenants_backup_is_not_found_by_its_id(house: House) -> None:
    theirs = take(house.mallory.tenant)
    for slug, backup_id in ((house.tenant.slug, theirs.id), (house.tenant.slug, uuid4())):
        with pytest.raises(NoBackup):
            queries.of_tenant(slug, backup_id)


def test_a_tenant_on_the_move_is_left_alone(house: House) -> None:
    backup = take(house.tenant)
    moving = TenantMove.objects.create(
        tenant=house.tenant, placement="dedicated", plan_id="enterprise", begun_at=now()
    )
    with pytest.raises(NotRestorable, match="on the move"):
        restore(backup)
    moving.delete()
    with connected("DATABASE_OWNER_URL") as other:
        name = f"move {house.tenant.id}"
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        with pytest.raises(MoveUnderWay):
            restore(backup)


def test_a_slug_that_is_in_use_is_not_taken(house: House) -> None:
    with pytest.raises(SlugTaken):
        restore_into(take(house.tenant), house.tenant.slug)


def test_an_archive_of_other_tables_is_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = take(house.tenant)
    heads = snapshot.heads

    def fewer(*args: Any) -> Any:
        return tuple(replace(head, columns=head.columns[:-1]) for head in heads(*args))

    monkeypatch.setattr(snapshot, "heads", fewer)
    with pytest.raises(OtherShape, match="has no column"):
        restoring.compare(entry=entry_of(backup), report=print)
    monkeypatch.setattr(snapshot, "heads", lambda *args: heads(*args)[1:])
    with pytest.raises(OtherShape, match="There is no table"):
        restoring.compare(entry=entry_of(backup), report=print)
