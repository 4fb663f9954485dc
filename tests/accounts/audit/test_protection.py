"""Who may write and read a trail: the database's own answer."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db import ProgrammingError

from accounts.audit import actions as audit
from accounts.audit import verification
from accounts.audit.models import AuditEvent, AuditLink
from tenants.context import Actor, Scope, TenantContext
from tenants.ownership import TenantOwned
from tenants.rls import quoted
from tests.accounts.audit.tampering import asleep, filled
from tests.cast import House, Person, build_tenant, job
from tests.isolation.database import connected, inside, sabotaged

_DECISION = Path("docs/decisions/0007-the-trail-is-chained-at-commit.md")
TABLES = ("audit_auditevent", "audit_auditlink")
CHANGES = (
    "UPDATE {} SET id = gen_random_uuid()",
    "DELETE FROM {}",
    "TRUNCATE {}",
)


def in_charge(house: House) -> TenantContext:
    return TenantContext(house.tenant.id, Actor.user(house.olga.user_id), Scope.TENANT)


def alone(person: Person) -> TenantContext:
    return TenantContext(person.tenant.id, Actor.user(person.user_id), Scope.USER)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", CHANGES)
def test_the_application_holds_no_right_to_change_the_past(
    house: House, table: str, change: str
) -> None:
    filled(house.tenant, 1)
    with inside(in_charge(house)) as cursor, pytest.raises(psycopg.Error) as caught:
        cursor.execute(change.format(table).encode())
    assert caught.value.sqlstate == "42501"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", CHANGES[:2])
def test_with_the_right_the_trigger_refuses(house: House, table: str, change: str) -> None:
    filled(house.tenant, 1)
    grant = f"GRANT UPDATE, DELETE ON {quoted(house.tenant.live_schema)}.{table} TO bulkhead_app"
    with sabotaged(grant, in_charge(house)) as cursor, pytest.raises(psycopg.Error) as caught:
        cursor.execute(change.format(table).encode())
    assert caught.value.sqlstate == "BH005"


@pytest.mark.parametrize("model", [AuditEvent, AuditLink])
def test_the_orm_cannot_change_the_past_either(house: House, model: type[TenantOwned]) -> None:
    filled(house.tenant, 1)
    with pytest.raises(ProgrammingError, match="permission denied"), job(house.tenant):
        model._default_manager.update(id=uuid4())
    with pytest.raises(ProgrammingError, match="permission denied"), job(house.tenant):
        model._default_manager.get().delete()


def test_an_actor_reads_and_writes_its_own_events_only(house: House) -> None:
    for person in (house.alice, house.bob):
        person.post("accounts/", {"name": "mine"})
    with inside(alone(house.alice)) as cursor:
        cursor.execute("SELECT DISTINCT actor_id FROM audit_auditevent")
        assert cursor.fetchall() == [(house.alice.user_id,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            cursor.execute(
                "INSERT INTO audit_auditevent (id, at, actor, actor_id, action, kind, key,"
                " request_id) VALUES (gen_random_uuid(), now(), 'user:bob', %s, 'x', '', '', '')",
                [house.bob.user_id],
            )


def test_without_the_owner_wall_the_others_would_be_read(house: House) -> None:
    """The mutation."""
    for person in (house.alice, house.bob):
        person.post("accounts/", {"name": "mine"})
    drop = f"DROP POLICY owner_wall ON {quoted(house.tenant.live_schema)}.audit_auditevent"
    with sabotaged(drop, alone(house.alice)) as cursor:
        cursor.execute("SELECT count(DISTINCT actor_id) FROM audit_auditevent")
        assert cursor.fetchone() == (2,)


def test_another_tenants_trail_is_not_there(house: House) -> None:
    house.mallory.post("accounts/", {"name": "theirs"})
    house.alice.post("accounts/", {"name": "ours"})
    with inside(in_charge(house)) as cursor:
        for table in (*TABLES, "audit_audithead"):
            cursor.execute(f"SELECT DISTINCT tenant_id FROM {table}".encode())
            assert cursor.fetchall() == [(house.tenant.id,)], table


def test_a_row_said_to_be_of_another_tenant_is_refused(house: House) -> None:
    with inside(in_charge(house)) as cursor, pytest.raises(psycopg.errors.InsufficientPrivilege):
        cursor.execute(
            "INSERT INTO audit_auditevent (tenant_id, id, at, actor, action, kind, key,"
            " request_id) VALUES (%s, gen_random_uuid(), now(), 'x', 'x', '', '', '')",
            [house.mallory.tenant.id],
        )


def test_a_path_changed_in_the_transaction_does_not_lead_the_chain_astray() -> None:
    """The function's tables are found by the search_path; the walls know the tenant's schema."""
    tenant = build_tenant("enterprise")  # one in `public` has no other schema to be led to
    with pytest.raises(ProgrammingError, match="row-level security"), job(tenant):
        audit.record("test.astray")
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL search_path = public, pg_temp")


MEND = """
UPDATE audit_audithead h SET number = l.number, digest = l.digest FROM audit_auditlink l
 WHERE h.tenant_id = %(tenant)s AND l.tenant_id = h.tenant_id
   AND l.number = (SELECT max(number) FROM audit_auditlink WHERE tenant_id = h.tenant_id)
"""


def test_a_trail_that_cannot_go_on_is_no_conflict_and_is_mended(house: House) -> None:
    """Only who owns the server can break a head; `MEND` is decision 7's."""
    assert " ".join(MEND.split()) in " ".join(_DECISION.read_text().split())
    filled(house.tenant)
    with asleep(house.tenant.live_schema) as superuser:
        set_back = "UPDATE audit_audithead SET number = 0 WHERE tenant_id = %s"
        superuser.execute(set_back, [house.tenant.id])
    answer = house.alice.post("accounts/", {"name": "mine"})
    assert (answer.status_code, answer.json()["code"]) == (500, "trail_broken")
    found = verification.of_tenant(house.tenant)
    assert (found.events, found.number, found.faults[0].code) == (5, 0, "head_differs")
    with asleep(house.tenant.live_schema) as superuser:
        superuser.execute(MEND, {"tenant": house.tenant.id})
    assert house.alice.post("accounts/", {"name": "mine"}).status_code == 201
    assert verification.of_tenant(house.tenant).faults == ()


def test_the_platforms_trail_is_kept_as_well(house: House) -> None:
    tables = ("accounts_platformevent", "accounts_platformlink")
    for table in tables:
        for change in CHANGES:
            with connected() as application, pytest.raises(psycopg.Error) as caught:
                application.execute(change.format(table).encode())
            assert caught.value.sqlstate == "42501"
        for change in CHANGES[:2]:
            with (
                connected("DATABASE_OWNER_URL") as owner,
                pytest.raises(psycopg.Error) as caught,
            ):
                owner.execute(change.format(table).encode())
            assert caught.value.sqlstate == "BH005"
        with inside(in_charge(house)) as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}".encode())
            assert cursor.fetchone() == (0,)
