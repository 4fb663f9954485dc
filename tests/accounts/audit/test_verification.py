"""Whatever is changed in a trail after it was written is found."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from accounts.audit import actions as audit
from accounts.audit import past_walls, verification
from accounts.audit.models import AuditHead, AuditLink
from accounts.management.commands import verify_audit
from tenants.errors import TenantSuspended
from tenants.models import Tenant
from tests.accounts.audit.tampering import asleep, filled
from tests.cast import House, build_tenant, job

pytestmark = pytest.mark.by_turns

_COPY = """
INSERT INTO audit_auditevent (tenant_id, id, at, actor, action, kind, key, request_id)
SELECT tenant_id, gen_random_uuid(), at, 'system:nobody', action, kind, key, request_id
  FROM audit_auditevent WHERE tenant_id = %(tenant)s AND key = '2'
"""
_RENUMBER = """
UPDATE audit_auditlink SET number = -number WHERE tenant_id = %(tenant)s AND number >= 3;
UPDATE audit_auditlink SET number = 1 - number WHERE tenant_id = %(tenant)s AND number < 0;
INSERT INTO audit_auditlink (tenant_id, id, number, previous, digest)
SELECT l.tenant_id, e.id, 3, l.digest, sha256('guess')
  FROM audit_auditevent e JOIN audit_auditlink l ON l.tenant_id = e.tenant_id AND l.number = 2
 WHERE e.tenant_id = %(tenant)s AND e.actor = 'system:nobody';
UPDATE audit_audithead SET number = number + 1 WHERE tenant_id = %(tenant)s;
"""
_THIRD = "tenant_id = %(tenant)s AND key = '2'"
_LAST_LINK = "tenant_id = %(tenant)s AND number = 5"
TAMPERINGS = {
    **{
        f"{column} of an event altered": (
            f"UPDATE audit_auditevent SET {column} = {value} WHERE {_THIRD}",
            {"event_altered"},
        )
        for column, value in (
            ("at", "at + interval '1 microsecond'"),
            ("actor", "'system:somebody'"),
            ("actor_id", "gen_random_uuid(), actor = 'key:x'"),
            ("action", "'test.undone'"),
            ("kind", "''"),
            ("key", "'3'"),
            ("before", "'{}'"),
            ("after", "'{\"n\": 3}'"),
            ("address", "'10.0.0.1'"),
            ("request_id", "'other'"),
        )
    },
    "an event removed": (f"DELETE FROM audit_auditevent WHERE {_THIRD}", {"event_missing"}),
    "an event removed with its link": (
        "DELETE FROM audit_auditlink l USING audit_auditevent e WHERE l.id = e.id"
        f" AND e.tenant_id = l.tenant_id AND e.{_THIRD};"
        f" DELETE FROM audit_auditevent WHERE {_THIRD}",
        {"number_missing", "link_broken"},
    ),
    "an event slipped in": (_COPY, {"event_unlinked"}),
    "an event slipped in between, with a link": (
        _COPY + ";" + _RENUMBER,
        {"event_altered", "link_broken"},
    ),
    "a link altered": (
        f"UPDATE audit_auditlink SET digest = sha256('x') WHERE {_LAST_LINK}",
        {"event_altered", "head_differs"},
    ),
    "the last event taken away": (
        f"DELETE FROM audit_auditlink WHERE {_LAST_LINK};"
        " DELETE FROM audit_auditevent WHERE tenant_id = %(tenant)s AND key = '4'",
        {"head_differs"},
    ),
    "the head set back": (
        "UPDATE audit_audithead SET number = 4 WHERE tenant_id = %(tenant)s",
        {"head_differs"},
    ),
    "the head lost": ("DELETE FROM audit_audithead WHERE tenant_id = %(tenant)s", {"head_differs"}),
}


def verify(*arguments: str) -> Any:
    out = StringIO()
    call_command("verify_audit", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.parametrize(("statements", "codes"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_a_change_of_the_past_is_found(tier: str, statements: str, codes: set[str]) -> None:
    tenant = build_tenant(tier)
    filled(tenant)
    assert verification.of_tenant(tenant).faults == ()
    with asleep(tenant.live_schema) as superuser:
        for statement in filter(str.strip, statements.split(";")):
            superuser.execute(statement, {"tenant": tenant.id})
    found = verification.of_tenant(tenant)
    assert {fault.code for fault in found.faults} == codes
    with pytest.raises(CommandError, match=f"broken: {tenant.slug}"):
        verify(tenant.slug)


def test_a_chain_written_anew_has_another_end(tier: str, tmp_path: Path) -> None:
    """Whoever owns the server can do that; the end kept elsewhere tells."""
    tenant = build_tenant(tier)
    filled(tenant)
    first = verify(tenant.slug)
    kept = first["chains"][tenant.slug]
    file = tmp_path / "ends.json"
    file.write_text(json.dumps(first))
    assert verify(tenant.slug, "--against", str(file)) == first
    with asleep(tenant.live_schema) as superuser:
        for statement in (
            f"UPDATE audit_auditevent SET actor = 'system:somebody' WHERE {_THIRD}",
            "DELETE FROM audit_auditlink WHERE tenant_id = %(tenant)s",
            "DELETE FROM audit_audithead WHERE tenant_id = %(tenant)s",
            "CREATE TEMP TABLE kept AS SELECT * FROM audit_auditevent WHERE tenant_id = %(tenant)s",
            "DELETE FROM audit_auditevent WHERE tenant_id = %(tenant)s",
            "SET LOCAL session_replication_role = origin",
            "INSERT INTO audit_auditevent SELECT * FROM kept ORDER BY at",
        ):
            superuser.execute(statement, {"tenant": tenant.id})
    anew = verify(tenant.slug)["chains"][tenant.slug]
    assert anew["faults"] == []
    assert anew["number"] == kept["number"]
    assert anew["digest"] != kept["digest"]
    with pytest.raises(CommandError, match="broken"):
        verify(tenant.slug, "--against", str(file))


def test_events_copied_with_their_links_keep_them(tier: str) -> None:
    """As a move to another schema does it: links first, then events, triggers awake."""
    tenant = build_tenant(tier)
    filled(tenant)
    before = verification.of_tenant(tenant)
    with asleep(tenant.live_schema) as superuser:
        superuser.execute(
            "CREATE TEMP TABLE kept AS SELECT * FROM audit_auditevent WHERE tenant_id = %s",
            [tenant.id],
        )
        superuser.execute("DELETE FROM audit_auditevent WHERE tenant_id = %s", [tenant.id])
        superuser.execute("SET LOCAL session_replication_role = origin")
        superuser.execute("INSERT INTO audit_auditevent SELECT * FROM kept")
    assert verification.of_tenant(tenant) == before


def test_sixteen_writers_at_once_make_one_chain_without_a_gap(tier: str) -> None:
    tenant = build_tenant(tier)

    def write(number: int) -> None:
        try:
            for turn in range(8):
                with job(tenant, f"writer{number}"):
                    audit.record("test.first", key=str(turn))
                    audit.record("test.second", key=str(turn))
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(16)))
    found = verification.of_tenant(tenant)
    assert (found.number, found.faults) == (256, ())
    with job(tenant):
        numbers = AuditLink.objects.order_by("number").values_list("number", flat=True)
        assert list(numbers) == list(range(1, 257))
        assert AuditHead.objects.get().number == 256


def test_a_tenant_without_events_is_whole(tier: str) -> None:
    tenant = build_tenant(tier)
    assert verify(tenant.slug)["chains"][tenant.slug] == {
        "events": 0,
        "number": 0,
        "digest": "00" * 32,
        "faults": [],
    }


def test_real_work_leaves_a_whole_chain(house: House) -> None:
    account = house.alice.post("accounts/", {"name": "a"}).json()["id"]
    house.bob.post("accounts/", {"name": "b"})
    house.alice.post(f"accounts/{account}/deposit/", {"currency": "USD", "amount": "1"})
    out = StringIO()
    call_command("verify_audit", house.tenant.slug, stdout=out)
    found = verification.of_tenant(house.tenant)
    assert f"{house.tenant.slug}: 3 events, head 3 {found.digest}" in out.getvalue()


CLOSED = [Tenant.Status.SUSPENDED, Tenant.Status.PROVISIONING]


def closed(tenant: Tenant, status: str = Tenant.Status.SUSPENDED) -> Tenant:
    Tenant.objects.filter(pk=tenant.pk).update(status=status)
    return tenant


@pytest.mark.parametrize("status", CLOSED)
def test_a_closed_tenants_chain_is_read_by_the_backups_log_in(tier: str, status: str) -> None:
    """Its own alone, and the same as before; to the application the tenant stays closed."""
    tenant, other = build_tenant(tier), build_tenant(tier)
    filled(tenant)
    filled(other, 3)
    before = verify(tenant.slug)
    closed(tenant, status)
    assert verify(tenant.slug) == before
    with pytest.raises(TenantSuspended):
        verification.of_tenant(tenant)


@pytest.mark.parametrize(
    ("statements", "codes"), list(TAMPERINGS.values())[8:], ids=list(TAMPERINGS)[8:]
)
def test_a_change_in_a_closed_tenant_is_found(tier: str, statements: str, codes: set[str]) -> None:
    tenant = build_tenant(tier)
    filled(tenant)
    with asleep(tenant.live_schema) as superuser:
        for statement in filter(str.strip, statements.split(";")):
            superuser.execute(statement, {"tenant": tenant.id})
    found = verification.of_closed_tenant(closed(tenant))
    assert {fault.code for fault in found.faults} == codes
    with pytest.raises(CommandError, match=f"broken: {tenant.slug}"):
        verify(tenant.slug)


def test_what_is_read_past_the_walls_is_read_only(tier: str) -> None:
    tenant = build_tenant(tier)
    write = "UPDATE audit_audithead SET number = 0"
    with (
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
        past_walls.reading(tenant.live_schema) as cursor,
    ):
        cursor.execute(write)


@pytest.mark.parametrize("variable", ["DATABASE_URL", "DATABASE_OWNER_URL"])
def test_a_log_in_that_the_walls_hold_does_not_find_an_empty_chain(
    tier: str, variable: str, settings: Settings
) -> None:
    tenant = build_tenant(tier)
    filled(tenant)
    closed(tenant)
    settings.DATABASE_BACKUP_URL = os.environ[variable]
    with pytest.raises(CommandError, match="not the log-in of bulkhead_backup"):
        verify(tenant.slug)


@pytest.mark.parametrize("url", ["", "postgres://nobody:x@127.0.0.1:1/none"])
@pytest.mark.parametrize("status", CLOSED)
def test_a_chain_that_was_not_read_is_not_passed_over(
    tier: str, status: str, url: str, settings: Settings
) -> None:
    """The wall is closed to the command too; it says so, and does not say that all is well."""
    settings.DATABASE_BACKUP_URL = url
    tenant = build_tenant(tier)
    filled(tenant)
    closed(tenant, status)
    out = StringIO()
    with pytest.raises(CommandError, match=f"want of the backup's log-in: {tenant.slug}"):
        call_command("verify_audit", tenant.slug, "--json", stdout=out)
    told = {"chains": {}, "not_read": [tenant.slug]}
    assert json.loads(out.getvalue()) == told
    assert verify(tenant.slug, "--active-only") == told


def test_what_is_broken_and_what_was_not_read_are_both_named(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.DATABASE_BACKUP_URL = ""
    whole, broken, suspended = (build_tenant() for _ in range(3))
    filled(broken)
    with asleep(broken.live_schema) as superuser:
        statement = "DELETE FROM audit_audithead WHERE tenant_id = %(tenant)s"
        superuser.execute(statement, {"tenant": broken.id})
    closed(suspended)
    chosen = [whole, broken, suspended]
    monkeypatch.setattr(verify_audit.Command, "_tenants", lambda _command, _slug: chosen)
    with pytest.raises(CommandError) as both:
        verify()
    assert str(both.value) == (
        f"the audit trail is broken: {broken.slug};"
        f" not read, for want of the backup's log-in: {suspended.slug}"
    )
    with pytest.raises(CommandError, match=f"broken: {broken.slug}$"):
        verify("--active-only")


def test_a_tenant_nobody_knows_is_an_error() -> None:
    with pytest.raises(CommandError, match="no tenant"):
        verify(f"x{uuid4().hex[:10]}")
