"""The platform's own trail."""

from __future__ import annotations

import code
import json
import os
from contextlib import suppress
from io import StringIO
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, transaction

from accounts import sealing
from accounts.audit import verification
from accounts.audit.models import AuditEvent
from accounts.trail import actions as trail
from accounts.trail.models import PlatformEvent
from tenants import context
from tests.cast import build_tenant, job


def test_a_tenants_making_and_its_members_are_recorded() -> None:
    slug = f"p{uuid4().hex[:10]}"
    owner = f"o@{slug}.example"
    arguments = ["create_tenant", slug, "--tier", "starter", "--owner", owner]
    call_command(*arguments, stdout=StringIO())
    event = PlatformEvent.objects.get(action="tenant.created", key=slug)
    assert (event.actor, event.kind) == ("system:create_tenant", "tenant")
    assert event.after == {"tier": "starter", "schema": "public", "region": "default"}
    added = PlatformEvent.objects.get(action="member.added", after__tenant=slug)
    assert added.after is not None
    assert added.after["role"] == "owner"


def test_a_shell_is_on_record_before_it_is_open(tier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant, seen = build_tenant(tier), []

    def interact(**shell: Any) -> None:
        seen.append((context.require().tenant_id, context.require().actor.name))
        assert shell["local"]["tenant"] == tenant
        raise KeyboardInterrupt  # however it ends

    monkeypatch.setattr(code, "interact", interact)
    with pytest.raises(KeyboardInterrupt):
        call_command("tenant_shell", tenant.slug)
    (event,) = PlatformEvent.objects.filter(action="tenant.shell_opened", key=tenant.slug)
    assert seen == [(tenant.id, event.actor)]
    assert event.actor.startswith("system:shell:")
    with job(tenant):
        own = AuditEvent.objects.get(action="tenant.shell_opened")
        assert (own.actor, own.actor_id, own.key) == (event.actor, None, tenant.slug)


@pytest.mark.parametrize("name", ["record", "record_inside"])
def test_a_shell_that_cannot_be_recorded_stays_shut(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = build_tenant()
    monkeypatch.setattr(code, "interact", lambda **_shell: pytest.fail("it was opened"))
    monkeypatch.setattr(f"tenants.trail.{name}", lambda *_said, **_more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call_command("tenant_shell", tenant.slug)


def test_a_rotation_is_on_record_with_what_it_found_and_a_dry_run_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    column = f"accounts.Test{uuid4().hex}.sealed_secret"
    found = {column: sealing.Resealing(seen=3, resealed=2, shut=1)}
    monkeypatch.setattr(sealing, "reseal_everything", lambda **_how: found)
    for arguments in (["--dry-run"], []):
        with pytest.raises(CommandError, match="sealing_key_missing"):
            call_command("rotate_sealed_secrets", *arguments, stdout=StringIO())
    (event,) = PlatformEvent.objects.filter(after__columns__0__column=column)
    assert (event.actor, event.action) == ("system:rotate_sealed_secrets", "secrets.resealed")
    assert event.after is not None
    (told,) = event.after["columns"]
    assert (told["seen"], told["resealed"], told["shut"]) == (3, 2, 1)


def test_what_is_rolled_back_leaves_no_event() -> None:
    key = uuid4().hex
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        trail.record("test.lost", by="system:test", key=key)
        _ = 1 / 0
    assert not PlatformEvent.objects.filter(key=key).exists()


def test_inside_a_tenant_it_takes_nothing(tier: str) -> None:
    tenant = build_tenant(tier)
    with pytest.raises(ProgrammingError, match="row-level security"), job(tenant):
        trail.record("test.misplaced", by="system:test")


def test_a_change_of_it_is_found() -> None:
    """In a transaction that is rolled back: the chain is the same for all tests."""
    key = uuid4().hex
    trail.record("test.done", by="system:test", key=key)
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"]) as superuser:
        query = verification.chain.PLATFORM.verify()
        superuser.execute("SET LOCAL session_replication_role = replica")
        change = "UPDATE accounts_platformevent SET actor = 'user:nobody' WHERE key = %s"
        assert superuser.execute(query).fetchall() == []
        superuser.execute(change, [key])
        assert [row[0] for row in superuser.execute(query)] == ["event_altered"]
        superuser.rollback()


def test_the_command_verifies_it_with_all_tenants() -> None:
    tenant = build_tenant()
    out = StringIO()
    with suppress(CommandError):  # other tests leave tenants whose trails they have broken
        call_command("verify_audit", "--json", "--active-only", stdout=out)
    found = json.loads(out.getvalue())["chains"]
    assert found["(platform)"]["faults"] == []
    assert found["(platform)"]["number"] > 0
    assert tenant.slug in found
