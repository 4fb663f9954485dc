"""The platform's own trail."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from io import StringIO
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, transaction

from accounts.audit import verification
from accounts.trail import actions as trail
from accounts.trail.models import PlatformEvent
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
        call_command("verify_audit", "--json", stdout=out)
    found = json.loads(out.getvalue())["chains"]
    assert found["(platform)"]["faults"] == []
    assert found["(platform)"]["number"] > 0
    assert tenant.slug in found
