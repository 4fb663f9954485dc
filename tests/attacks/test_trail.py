"""The trail: rewritten, cut, forged, read by strangers, and carried into a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from accounts.access.roles import Role
from accounts.audit import actions as audit
from accounts.audit import verification
from accounts.audit.models import AuditEvent
from tenants.context import Actor, Scope, TenantContext
from tenants.rls import quoted
from tests.attacks.wire import Answer, bearer, call, prefix, session, stepped_up
from tests.cast import House, Person, anywhere, build_house, build_person, job
from tests.isolation.database import application, inside, sabotaged
from tests.web import Server

TABLES = ("audit_auditevent", "audit_auditlink", "accounts_platformevent", "accounts_platformlink")
REFUSED = ("42501", "BH005", "0A000", "55006")
NO_SUCH = "42704"  # only events have the trigger that chains them
INSERT = (
    "INSERT INTO audit_auditevent (id, at, actor, actor_id, action, kind, key, request_id)"
    " VALUES (gen_random_uuid(), now(), %s, %s, 'forged', '', '', '')"
)


@pytest.fixture
def house(house: House) -> House:
    """With something on record of three people."""
    return recorded(house)


@pytest.fixture(scope="module", params=["starter", "enterprise"])
def untouched(request: pytest.FixtureRequest) -> House:
    """One for all whom the database refuses at once, and who leave it as it is."""
    return recorded(build_house(request.param))


def recorded(house: House) -> House:
    for person in (house.alice, house.bob, house.mallory):
        assert person.post("accounts/", {"name": f"of {person.name}"}).status_code == 201
    return house


def as_user(person: Person) -> TenantContext:
    return TenantContext(person.tenant.id, Actor.user(person.user_id), Scope.USER)


def as_tenant(person: Person) -> TenantContext:
    return TenantContext(person.tenant.id, Actor.user(person.user_id), Scope.TENANT)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET id = gen_random_uuid()",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "TRUNCATE {} CASCADE",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "ALTER TABLE {} DISABLE TRIGGER USER",
        "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY",
        "DROP TRIGGER append_only ON {}",
        "DROP TRIGGER chained ON {}",
        "DROP TABLE {}",
        "ALTER TABLE {} RENAME TO gone",
        "CREATE RULE quiet AS ON INSERT TO {} DO INSTEAD NOTHING",
        "CREATE TRIGGER mine BEFORE INSERT ON {} EXECUTE FUNCTION suppress_redundant_updates()",
        "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
        "SELECT * FROM {} FOR UPDATE",
        "COPY {} FROM PROGRAM 'true'",
    ],
)
def test_the_past_is_not_the_applications_to_change(
    untouched: House, table: str, statement: str
) -> None:
    for context in (as_user(untouched.alice), as_tenant(untouched.olga)):
        with inside(context) as cursor, pytest.raises(psycopg.Error) as caught:
            cursor.execute(sql.SQL(statement).format(sql.Identifier(table)))
        assert caught.value.sqlstate in (*REFUSED, NO_SUCH), caught.value
    with application() as cursor, pytest.raises(psycopg.Error) as caught:
        cursor.execute(sql.SQL(statement).format(sql.Identifier(table)))
    assert caught.value.sqlstate in (*REFUSED, NO_SUCH), caught.value


@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "SET LOCAL session_replication_role = 'local'",
        "SELECT set_config('session_replication_role', 'replica', false)",
        "UPDATE pg_trigger SET tgenabled = 'D'",
        "UPDATE pg_settings SET setting = 'replica' WHERE name = 'session_replication_role'",
        "ALTER ROLE bulkhead_app SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION public.chain_audit_event() RETURNS trigger LANGUAGE sql AS ''",
        "DROP FUNCTION public.chain_audit_event()",
    ],
)
def test_triggers_cannot_be_put_to_sleep(untouched: House, statement: str) -> None:
    for context in (as_user(untouched.alice), as_tenant(untouched.olga)):
        with inside(context) as cursor, pytest.raises(psycopg.Error) as caught:
            cursor.execute(statement.encode())
        assert caught.value.sqlstate in (*REFUSED, "42601", "42P13"), caught.value


def test_nobody_signs_for_somebody_else(house: House) -> None:
    """Alice's own scope, and Bob's name: by key and by word."""
    alice, bob, mallory = house.alice.user_id, house.bob.user_id, house.mallory.user_id
    for actor, actor_id in (
        (f"user:{bob}", bob),
        (f"user:{bob}", alice),
        ("system:seed", None),
        ("system:seed", alice),
        (f"user:{mallory}", mallory),
    ):
        with inside(as_user(house.alice)) as cursor, pytest.raises(psycopg.Error) as caught:
            cursor.execute(INSERT, [actor, actor_id])
        assert caught.value.sqlstate in ("42501", "23514"), (actor, caught.value)


BY_HAND = {
    "a head set back": "UPDATE {head} SET number = 0",
    "a head set ahead": "UPDATE {head} SET number = number + 1",
    "a head that stays": "UPDATE {head} SET number = number",
    "another digest": "UPDATE {head} SET digest = sha256('x')",
    "another head": "INSERT INTO {head} (id, number, digest) VALUES ({id}, 7, sha256('x'))",
    "a head in passing": "INSERT INTO {head} (id, number, digest) VALUES ({id}, 7, sha256('x'))"
    " ON CONFLICT DO NOTHING",
    "a link slipped in": "INSERT INTO {link} (id, number, previous, digest)"
    " SELECT gen_random_uuid(), h.number + 1, h.digest, h.digest FROM {head} h",
}


@pytest.mark.parametrize("statement", BY_HAND.values(), ids=BY_HAND)
def test_links_and_heads_are_written_by_the_chain_alone(house: House, statement: str) -> None:
    """One wrong number, and no later entry would find its place: nobody could log in."""
    names = {"head": "audit_audithead", "link": "audit_auditlink", "id": f"'{house.tenant.id}'"}
    for context in (as_user(house.alice), as_tenant(house.olga)):
        with inside(context) as cursor, pytest.raises(psycopg.Error) as caught:
            cursor.execute(statement.format(**names).encode())
        assert caught.value.sqlstate == "BH005"
    names = {"head": "accounts_platformhead", "link": "accounts_platformlink", "id": "1"}
    with application() as cursor, pytest.raises(psycopg.Error) as caught:
        cursor.execute(statement.format(**names).encode())
    assert caught.value.sqlstate == "BH005"


def test_without_its_keeper_a_head_would_be_set_back(house: House) -> None:
    """The mutation: and the next entry, anybody's, would be refused."""
    drop = f"DROP TRIGGER by_the_chain ON {quoted(house.tenant.live_schema)}.audit_audithead"
    with sabotaged(drop, as_user(house.alice)) as cursor:
        cursor.execute("UPDATE audit_audithead SET number = 0")
        cursor.execute(INSERT, [f"user:{house.alice.user_id}", house.alice.user_id])
        with pytest.raises(psycopg.Error) as caught:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert caught.value.sqlstate == "BH006"


def test_a_head_is_never_taken_away(house: House) -> None:
    with inside(as_tenant(house.olga)) as cursor, pytest.raises(psycopg.Error) as caught:
        cursor.execute("DELETE FROM audit_audithead")
    assert caught.value.sqlstate == "42501"


def test_an_untouched_trail_has_no_fault(house: House) -> None:
    assert verification.of_tenant(house.tenant).faults == ()


EVIL = [
    "=cmd|'/C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
    'a","=1+1',
    "a\n=1+1",
    "a\r\n=1+1",
    "'=1+1",
]
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def exported(site: Server, house: House, query: str = "") -> list[dict[str, str]]:
    answer = call(site, "GET", f"audit-log/export/{query}", credential=stepped_up(house.olga))
    assert answer.status == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def harmless(cell: str) -> bool:
    """OWASP's list of what spreadsheets take for a formula."""
    return not cell.startswith(_STARTS)


def test_no_cell_of_the_export_is_a_formula(site: Server, house: House) -> None:
    made = {}
    for name in EVIL:
        answer = call(
            site, "POST", "accounts/", {"name": name + "x"}, credential=bearer(house.alice)
        )
        made[name] = answer.status
    invited = {"email": "=cmd@x.example", "role": "viewer"}
    call(site, "POST", "invitations/", invited, credential=bearer(house.olga))
    odd = ("X-Request-ID", "=1+1")
    call(site, "POST", "accounts/", {"name": uuid4().hex}, odd, credential=bearer(house.alice))
    rows = exported(site, house)
    assert sum(status == 201 for status in made.values()) > 5, made
    assert not [cell for row in rows for cell in row.values() if not harmless(cell)]
    assert {len(row) for row in rows} == {11}


def test_no_key_of_an_event_is_a_formula(site: Server, house: House) -> None:
    """Whatever a room may write there one day."""
    with job(house.tenant):
        for name in EVIL:
            audit.record("test.evil", kind="thing", key=name, after={"name": name})
    rows = exported(site, house, "?action=test.evil")
    assert len(rows) == len(EVIL)
    assert [row["key"] for row in rows if not harmless(row["key"])] == []


def events(house: House) -> list[dict[str, Any]]:
    with job(house.mallory.tenant):
        return [
            {name: str(value) for name, value in row.items()} for row in AuditEvent.objects.values()
        ]


def ask(site: Server, house: House, query: str) -> Answer:
    return call(site, "GET", f"audit-log/{query}", credential=stepped_up(house.olga))


def test_another_tenants_events_are_in_no_filter(site: Server, house: House) -> None:
    theirs = events(house)
    assert theirs
    tenant = house.mallory.tenant
    queries = [
        "",
        "?page_size=200",
        "?ordering=at",
        f"?actor_id={house.mallory.user_id}",
        f"?tenant_id={tenant.id}",
        f"?tenant={tenant.slug}",
        f"?tenant_id__in={tenant.id}",
        f"?key={theirs[0]['key']}",
        f"?kind={theirs[0]['kind']}&action={theirs[0]['action']}",
        "?at_after=2000-01-01T00:00:00Z&at_before=2100-01-01T00:00:00Z",
        f"?search={house.mallory.user_id}",
        "?key=%25",
        "?key=' OR true --",
    ]
    for query in queries:
        for path in ("", "export/"):
            answer = ask(site, house, path + query.replace(" ", "%20"))
            assert answer.status in (200, 400), answer.text
            for event in theirs:
                assert event["id"] not in answer.text, query
    assert ask(site, house, f"{theirs[0]['id']}/").told == (404, "not_found")


def test_a_cursor_of_another_tenants_trail_leads_nowhere(site: Server, house: House) -> None:
    oscar = build_person(house.mallory.tenant, "oscar", Role.OWNER)
    for name in range(3):
        house.mallory.post("accounts/", {"name": str(name)})
    page = call(site, "GET", "audit-log/?page_size=1", credential=bearer(oscar)).json()
    cursor = page["next"].partition("?")[2]
    answer = ask(site, house, f"?{cursor}")
    assert answer.told == (400, "invalid")


def test_a_cursor_is_good_for_its_person_list_and_ordering(site: Server, house: House) -> None:
    for name in "abc":
        for person in (house.alice, house.bob):
            person.post("accounts/", {"name": name})
    alice, bob = bearer(house.alice), bearer(house.bob)
    first = call(site, "GET", "accounts/?page_size=1&ordering=name", credential=alice).json()
    query = first["next"].partition("?")[2]
    second = call(site, "GET", f"accounts/?{query}", credential=alice)
    assert [row["name"] for row in second.json()["results"]] == ["b"]
    assert call(site, "GET", f"accounts/?{query}", credential=bob).told == (400, "invalid")
    for path in (f"accounts/?{query}".replace("=name", "=-name"), f"portfolios/?{query}"):
        assert call(site, "GET", path, credential=alice).told == (400, "invalid")


def misdirected(person: Person) -> list[tuple[str, str]]:
    """Paths and addresses at which a person's credential met another tenant's door."""
    with job(person.tenant):
        rows = AuditEvent.objects.filter(action="credential.tenant_mismatch")
        return list(rows.filter(actor_id=person.user_id).values_list("key", "address"))


def test_a_refresh_token_at_another_tenants_address_is_on_record(
    site: Server, house: House
) -> None:
    token, at = session(site, house.mallory)["refresh"], anywhere()
    there = {"prefix": prefix(house.alice), "at": at}
    answer = call(site, "POST", "auth/refresh/", {"refresh": token}, **there)
    assert answer.told == (403, "tenant_mismatch")
    assert misdirected(house.mallory) == [(f"{prefix(house.alice)}/api/v1/auth/refresh/", at)]
    assert call(site, "POST", "auth/refresh/", {"refresh": token}).status == 200


def test_a_socket_at_another_tenants_address_is_on_record(site: Server, house: House) -> None:
    path, at = f"{prefix(house.alice)}/ws/v1/stream/", anywhere()
    offered = [Subprotocol(f"bulkhead.token.{house.mallory.token}")]
    url, came_from = site.url.replace("http", "ws") + path, {"X-Forwarded-For": at}
    with (
        connect(url, subprotocols=offered, additional_headers=came_from) as socket,
        pytest.raises(ConnectionClosed) as closed,
    ):
        socket.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403
    assert misdirected(house.mallory) == [(path, at)]


def test_what_was_refused_for_another_tenants_token_is_on_record(
    site: Server, house: House
) -> None:
    """The contract: `tenant_mismatch`, and an event."""
    answer = call(
        site,
        "GET",
        "accounts/",
        credential=bearer(house.mallory),
        prefix=f"/t/{house.tenant.slug}",
    )
    assert answer.told == (403, "tenant_mismatch")
    said = ask(site, house, "").text + str(events(house))
    assert "mismatch" in said
