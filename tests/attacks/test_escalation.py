"""Taking more than one was given: by fields, invitations, keys, and by SQL from the inside."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core import signing

from accounts.access.models import Invitation, Membership
from accounts.access.roles import Role
from accounts.members import offers
from accounts.tokens import credentials, keys
from accounts.tokens.models import ApiKey
from tenants.context import Actor, Scope, TenantContext
from tests.attacks.wire import Answer, bearer, call, prefix, session, stepped_up
from tests.cast import PASSWORD, House, Person, anywhere, build_person, now
from tests.guards.routes import api_routes
from tests.isolation.database import Cursor, inside
from tests.market import list_instrument
from tests.web import Server

pytestmark = pytest.mark.by_turns

GREEDY = {
    "role": "owner",
    "roles": ["owner"],
    "is_staff": True,
    "is_superuser": True,
    "is_active": True,
    "sees_tenant": True,
    "tier": "enterprise",
    "plan": "enterprise",
    "must_enrol": False,
    "stepped_up_at": 9_999_999_999,
}


def unknown() -> str:
    return f"new{uuid4().hex[:12]}@x.example"


def member(person: Person) -> Membership:
    return Membership.objects.get(user_id=person.user_id, tenant_id=person.tenant.id)


def invite(site: Server, by: Person, email: str, role: str, **more: Any) -> Answer:
    body = {"email": email, "role": role, **more}
    return call(site, "POST", "invitations/", body, credential=stepped_up(by))


def token_of(email: str) -> str:
    """What only the mail carries."""
    return offers.token_of(Invitation.objects.get(email=email))


def accept(site: Server, token: str, **more: Any) -> Answer:
    body = {"token": token, "password": PASSWORD, **more}
    return call(site, "POST", "auth/invitations/accept/", body)


def test_nobody_signs_up_as_more_than_the_owner_of_a_new_starter_tenant(
    site: Server, house: House
) -> None:
    slug = f"t{uuid4().hex[:12]}"
    body = {**GREEDY, "email": unknown(), "password": PASSWORD, "tenant": slug}
    body |= {"tenant_id": str(house.tenant.id), "user": str(house.olga.user_id)}
    made = call(site, "POST", "auth/signup/", body)
    assert made.status == 201, made.text
    assert (made.json()["tenant"]["slug"], made.json()["tenant"]["tier"]) == (slug, "starter")
    person = Membership.objects.select_related("user").get(email=body["email"])
    assert not (person.user.is_staff or person.user.is_superuser)
    assert str(person.tenant_id) == made.json()["tenant"]["id"]
    body |= {"email": unknown(), "tenant": house.tenant.slug}
    assert call(site, "POST", "auth/signup/", body).status == 409
    assert not Membership.objects.filter(email=body["email"]).exists()


def test_an_invitation_gives_its_role_whatever_the_body_asks(site: Server, house: House) -> None:
    email = unknown()
    greedy = {name: value for name, value in GREEDY.items() if name != "role"}
    assert invite(site, house.olga, email, "viewer", **greedy).status == 201
    other = {"tenant": str(house.mallory.tenant.id), "email": house.olga.email}
    joined = accept(site, token_of(email), **GREEDY, **other)
    assert joined.status in (200, 201), joined.text
    assert joined.json()["role"] == "viewer"
    row = Membership.objects.select_related("user").get(email=email)
    assert (row.role, row.sees_tenant, row.user.is_staff) == ("viewer", False, False)
    assert row.tenant_id == house.tenant.id


def test_nobody_changes_their_own_role(site: Server, house: House) -> None:
    admin = build_person(house.tenant, "adam", Role.ADMIN)
    for person in (house.alice, house.vera, admin, house.olga):
        before = member(person)
        for body in (GREEDY, {"role": "owner"}, {"sees_tenant": True}, {"user": str(uuid4())}):
            path = f"members/{before.id}/"
            answer = call(site, "PATCH", path, body, credential=stepped_up(person))
            assert answer.status in (400, 403, 404, 409), answer.text
        after = member(person)
        assert (after.role, after.sees_tenant) == (before.role, before.sees_tenant)


def test_an_admin_makes_and_unmakes_no_owner_and_no_admin(site: Server, house: House) -> None:
    admin, other = (build_person(house.tenant, name, Role.ADMIN) for name in ("adam", "ada"))
    by = stepped_up(admin)
    for role in ("owner", "admin"):
        assert invite(site, admin, unknown(), role).status == 403
        path = f"members/{member(house.alice).id}/"
        assert call(site, "PATCH", path, {"role": role}, credential=by).status == 403
    for person in (house.olga, other):
        path = f"members/{member(person).id}/"
        assert call(site, "PATCH", path, {"role": "viewer"}, credential=by).status == 403
        assert call(site, "DELETE", path, credential=by).status == 403
    path = f"members/{member(house.vera).id}/"
    assert call(site, "PATCH", path, {"sees_tenant": True}, credential=by).status == 403


def test_an_invitation_that_was_tampered_with_is_worth_nothing(site: Server, house: House) -> None:
    email = unknown()
    invite(site, house.olga, email, "viewer")
    good = token_of(email)
    body, stamp, signature = good.split(":")
    other = signing.dumps(str(Invitation.objects.get(email=email).id), salt="another")
    for token in (
        good[:-1],
        f"{body}:{stamp}:{signature[::-1]}",
        f"{body}:zzzzzz:{signature}",
        f"{body[:-2]}xx:{stamp}:{signature}",
        other,
        str(Invitation.objects.get(email=email).id),
        house.alice.token,
        "\0",
        "::",
    ):
        assert accept(site, token).status == 400, token
    assert not Membership.objects.filter(email=email).exists()


def test_an_invitation_of_elsewhere_late_or_used_is_worth_nothing(
    site: Server, house: House
) -> None:
    gone, used, away, taken = (unknown() for _ in range(4))
    for email in (gone, used, away, taken):
        invite(site, house.olga, email, "trader")
    Invitation.objects.filter(email=gone).update(expires_at=now() - timedelta(seconds=1))
    Invitation.objects.filter(email=taken).update(withdrawn_at=now())
    assert accept(site, token_of(used)).status in (200, 201)
    for email in (gone, used, taken):
        assert accept(site, token_of(email)).status in (400, 409, 410), email
    body = {"token": token_of(away), "password": PASSWORD}
    there = prefix(house.mallory)
    assert call(site, "POST", "auth/invitations/accept/", body, prefix=there).status == 400
    assert not Membership.objects.filter(email__in=(gone, away, taken)).exists()


def test_an_invitation_is_not_taken_by_who_is_not_invited(site: Server, house: House) -> None:
    invite(site, house.olga, house.mallory.email, "trader")
    token = token_of(house.mallory.email)
    body = {"token": token}
    stranger = build_person(house.mallory.tenant, "oscar")
    for credential in ("", bearer(stranger), bearer(house.alice)):
        answer = call(site, "POST", "auth/invitations/accept/", body, credential=credential)
        assert answer.status in (400, 401, 403), answer.text
    assert accept(site, token, password="Wrong-horse-7").status == 401
    found = Membership.objects.filter(user_id=house.mallory.user_id, tenant=house.tenant)
    assert not found.exists()


def test_who_is_removed_leaves_no_door_open_behind_them(site: Server, house: House) -> None:
    """An offer made by somebody who may make none any more."""
    second = build_person(house.tenant, "oscar", Role.OWNER)
    email = unknown()
    assert invite(site, second, email, "owner").status == 201
    path = f"members/{member(second).id}/"
    assert call(site, "DELETE", path, credential=stepped_up(house.olga)).status == 204
    answer = accept(site, token_of(email))
    assert answer.status in (400, 409, 410), answer.text
    assert not Membership.objects.filter(email=email).exists()


def issue(site: Server, person: Person, **asked: Any) -> Answer:
    body = {"name": "bot", "scope": "trade", **asked}
    return call(site, "POST", "api-keys/", body, credential=stepped_up(person))


def key(site: Server, person: Person, **asked: Any) -> str:
    answer = issue(site, person, **asked)
    assert answer.status == 201, answer.text
    return f"Api-Key {answer.json()['key']}"


def test_a_key_carries_no_more_than_its_person_has(site: Server, house: House) -> None:
    assert issue(site, house.alice, scope="admin").told == (403, "scope_beyond_role")
    assert issue(site, house.vera, scope="read").status == 403
    greedy = {**GREEDY, "user": str(house.olga.user_id), "user_id": str(house.olga.user_id)}
    made = issue(site, house.alice, **greedy, key_scope="admin").json()
    stored = ApiKey.objects.get(pk=made["id"])
    assert (stored.user_id, stored.key_scope) == (house.alice.user_id, "trade")
    credential = f"Api-Key {made['key']}"
    assert call(site, "GET", "members/", credential=credential).status == 403
    assert call(site, "GET", "audit-log/", credential=credential).status == 403


@pytest.mark.parametrize("scope", ["read", "trade", "admin"])
def test_no_key_makes_keys_owners_or_sessions(site: Server, house: House, scope: str) -> None:
    credential = key(site, house.olga, scope=scope)
    refused = (
        ("POST", "api-keys/", {"name": "x", "scope": "read"}),
        ("GET", "api-keys/", None),
        ("POST", "auth/step-up/", {"password": PASSWORD}),
        ("POST", "auth/switch/", {"tenant": house.tenant.slug}),
        ("POST", "auth/password/", {"current": PASSWORD, "new": "Another-horse-8"}),
        ("POST", "auth/mfa/totp/", {"password": PASSWORD}),
        ("GET", "auth/sessions/", None),
        ("DELETE", "auth/membership/", None),
        ("POST", "invitations/", {"email": unknown(), "role": "owner"}),
        ("PATCH", f"members/{member(house.alice).id}/", {"role": "admin"}),
        ("PATCH", "tenant/policy/", {"requires_second_factor": False}),
    )
    for method, path, body in refused:
        assert call(site, method, path, body, credential=credential).status == 403, path


def write_everything(site: Server, credential: str) -> dict[str, int]:
    return {
        f"{method} {path}": call(site, method, path, {}, credential=credential).status
        for method, path in _paths()
    }


def _paths() -> list[tuple[str, str]]:
    """Every route that changes rows, with ids that nobody has."""
    found = []
    for route in api_routes():
        path = route.name.replace("(?P<pk>[0-9a-fA-F-]{32,36})", str(uuid4()))
        path = path.removeprefix("api/v1/").rstrip("$")
        found += [
            (method.upper(), path)
            for method in route.actions
            if method in ("post", "put", "patch", "delete")
        ]
    return [(method, path) for method, path in found if "(" not in path]


def test_a_viewer_writes_nothing_at_all(site: Server, house: House) -> None:
    told = write_everything(site, stepped_up(house.vera))
    assert len(told) > 10
    assert set(told.values()) == {403}, told


def test_a_viewer_who_sees_the_whole_tenant_writes_nothing_either(
    site: Server, house: House
) -> None:
    told = write_everything(site, stepped_up(house.vera, sees_tenant=True))
    assert set(told.values()) == {403}, told


def test_a_read_key_writes_nothing_at_all(site: Server, house: House) -> None:
    told = write_everything(site, key(site, house.olga, scope="read"))
    assert set(told.values()) == {403}, told


def test_a_key_from_another_address_is_no_key(site: Server, house: House) -> None:
    credential = key(site, house.alice, addresses=["192.0.2.0/24"])
    for at, status in (
        ("192.0.2.7", 200),
        ("198.51.100.7", 401),
        ("192.0.2.7, 198.51.100.7", 401),
        ("::ffff:192.0.2.7", 200),  # the same address, of a socket for both kinds
        ("::ffff:198.51.100.7", 401),
        ("::192.0.2.7", 401),
        ("192.0.2.7.", 401),
        ("", 401),
    ):
        answer = call(site, "GET", "accounts/", credential=credential, at=at or " ")
        assert answer.status == status, (at, answer.text)


def account(site: Server, person: Person, name: str) -> str:
    made = call(site, "POST", "accounts/", {"name": name}, credential=bearer(person))
    return str(made.json()["id"])


def test_a_key_of_one_account_meets_no_other(site: Server, house: House) -> None:
    one, other = (account(site, house.alice, name) for name in ("one", "other"))
    credential = key(site, house.alice, account=one)
    market = list_instrument()
    money = {"currency": "USD", "amount": "1"}
    order = {"account": other, "instrument": market.symbol, "side": "buy", "type": "market"}
    for method, path, body in (
        ("GET", f"accounts/{other}/", None),
        ("PATCH", f"accounts/{other}/", {"name": "x"}),
        ("POST", f"accounts/{other}/deposit/", money),
        ("POST", f"accounts/{other}/withdraw/", money),
        ("GET", f"accounts/{other}/balances/", None),
        ("POST", "orders/", {**order, "quantity": "1"}),
    ):
        answer = call(site, method, path, body, credential=credential)
        assert answer.status in (403, 404), (path, answer.text)
    for path in ("accounts/", "orders/", "fills/", "positions/", "portfolio/"):
        assert other not in call(site, "GET", path, credential=credential).text
    everywhere = call(site, "POST", "orders/cancel-all/", {"account": other}, credential=credential)
    assert everywhere.status in (200, 403, 404)
    assert everywhere.status != 200 or everywhere.json() == []


def open_order(site: Server, person: Person, where: str, *pairs: tuple[str, str]) -> dict[str, Any]:
    """What was asked, and `id`: an order far from the market."""
    money = {"currency": "USD", "amount": "100"}
    call(site, "POST", f"accounts/{where}/deposit/", money, credential=bearer(person))
    body = {"account": where, "instrument": list_instrument().symbol, "side": "buy"}
    body |= {"type": "limit", "quantity": "1", "limit_price": "1", "client_order_id": uuid4().hex}
    placed = call(site, "POST", "orders/", body, *pairs, credential=bearer(person))
    assert placed.status == 201, placed.text
    return {**body, "id": placed.json()["id"]}


def test_a_key_of_one_account_is_not_told_what_was_done_in_another(
    site: Server, house: House
) -> None:
    """By asking again, under the same `Idempotency-Key`, what its person has asked there."""
    one, other = (account(site, house.alice, name) for name in ("one", "other"))
    again = ("Idempotency-Key", uuid4().hex)
    body = open_order(site, house.alice, other, again)
    placed = body.pop("id")
    credential = key(site, house.alice, account=one)
    answer = call(site, "POST", "orders/", body, again, credential=credential)
    assert answer.status in (403, 404, 409, 422), answer.text
    assert placed not in answer.text


def test_a_key_of_one_account_does_not_find_another_by_the_clients_own_id(
    site: Server, house: House
) -> None:
    one, other = (account(site, house.alice, name) for name in ("one", "other"))
    body = open_order(site, house.alice, other)
    placed = body.pop("id")
    credential = key(site, house.alice, account=one)
    for where in (one, other):
        answer = call(site, "POST", "orders/", {**body, "account": where}, credential=credential)
        assert answer.status != 200, answer.text
        assert placed not in answer.text


def test_a_key_of_one_account_cancels_in_no_other(site: Server, house: House) -> None:
    one, other = (account(site, house.alice, name) for name in ("one", "other"))
    placed = open_order(site, house.alice, other)["id"]
    credential = key(site, house.alice, account=one)
    for body in ({}, {"account": other}):
        call(site, "POST", "orders/cancel-all/", body, credential=credential)
    call(site, "DELETE", f"orders/{placed}/", credential=credential)
    order = call(site, "GET", f"orders/{placed}/", credential=bearer(house.alice)).json()
    assert order["status"] == "accepted"


def as_person(person: Person) -> TenantContext:
    return TenantContext(person.tenant.id, Actor.user(person.user_id), Scope.USER)


def changed(cursor: Cursor, statement: str, values: list[Any]) -> int:
    """Rows that a statement has touched; none where it was refused."""
    try:
        with cursor.connection.transaction():
            cursor.execute(statement.encode(), values)
            return cursor.rowcount
    except psycopg.errors.InsufficientPrivilege:
        return 0


def test_a_trader_with_sql_has_no_other_role(house: House) -> None:
    """The application's own role, in a trader's scope: what an injection could say."""
    tenant, alice, bob = house.tenant.id, house.alice.user_id, house.bob.user_id
    statements: list[tuple[str, list[Any]]] = [
        ("UPDATE accounts_membership SET role = 'owner'", []),
        ("UPDATE accounts_membership SET role = 'owner' WHERE user_id = %s", [alice]),
        ("UPDATE accounts_membership SET sees_tenant = true", []),
        ("DELETE FROM accounts_membership", []),
        (
            "INSERT INTO accounts_membership (id, tenant_id, user_id, email, role, sees_tenant,"
            " is_active, created_at)"
            " VALUES (gen_random_uuid(), %s, %s, '', 'owner', true, true, now())",
            [tenant, house.mallory.user_id],
        ),
        (
            "INSERT INTO accounts_invitation (id, tenant_id, email, role, invited_by_id,"
            " created_at, expires_at) VALUES (gen_random_uuid(), %s, 'x@x.example', 'owner', %s,"
            " now(), now() + interval '1 day')",
            [tenant, alice],
        ),
        ("UPDATE accounts_invitation SET role = 'owner'", []),
        ("UPDATE accounts_tenantpolicy SET requires_second_factor = false", []),
        ("UPDATE accounts_session SET ended_at = NULL WHERE user_id <> %s", [alice]),
        ("UPDATE accounts_session SET user_id = %s", [bob]),
        ("DELETE FROM accounts_session WHERE user_id <> %s", [alice]),
        ("UPDATE accounts_refreshtoken SET used_at = NULL WHERE user_id <> %s", [alice]),
        ("UPDATE accounts_apikey SET key_scope = 'admin' WHERE user_id <> %s", [alice]),
        ("UPDATE accounts_apikey SET user_id = %s", [house.olga.user_id]),
        ("UPDATE accounts_supportsession SET opened_at = now()", []),
        ("UPDATE accounts_user SET is_staff = true", []),
        ("UPDATE accounts_user SET password = ''", []),
        ("DELETE FROM accounts_authenticator", []),
        ("UPDATE tenants_tenant SET status = 'active'", []),
        ("UPDATE tenants_plan SET requests_per_minute = 1", []),
        (
            "INSERT INTO accounts_apikey (id, tenant_id, user_id, name, prefix, digest, key_scope,"
            " addresses, created_at) VALUES (gen_random_uuid(), %s, %s, 'x', 'bk_', %s, 'admin',"
            " '[]', now())",
            [tenant, house.olga.user_id, keys.digest(uuid4().hex)],
        ),
        (
            "INSERT INTO accounts_session (id, tenant_id, user_id, created_at, last_seen_at,"
            " expires_at, ended_because, agent, has_second_factor) VALUES (gen_random_uuid(), %s,"
            " %s, now(), now(), now() + interval '1 day', '', '', true)",
            [tenant, house.olga.user_id],
        ),
    ]
    with inside(as_person(house.alice)) as cursor:
        touched = {text: changed(cursor, text, values) for text, values in statements}
    assert {text: rows for text, rows in touched.items() if rows} == {}


def test_a_trader_with_sql_sees_no_secret_of_others(site: Server, house: House) -> None:
    for person in (house.bob, house.olga, house.alice):
        session(site, person)
        key(site, person)
    with inside(as_person(house.alice)) as cursor:
        for table in ("accounts_session", "accounts_refreshtoken", "accounts_apikey"):
            cursor.execute(f"SELECT DISTINCT user_id FROM {table}".encode())
            assert cursor.fetchall() == [(house.alice.user_id,)], table
        for table in ("accounts_user", "accounts_authenticator", "accounts_recoverycode"):
            cursor.execute(f"SELECT count(*) FROM {table}".encode())
            assert cursor.fetchone() == (0,), table
        cursor.execute("SELECT count(*) FROM accounts_invitation")
        assert cursor.fetchone() == (0,)


def test_nobody_ends_the_sessions_of_somebody_else(site: Server, house: House) -> None:
    hers = session(site, house.alice)
    ident = credentials.identify(hers["access"]).session_id
    for person in (house.bob, house.olga, house.mallory):
        mine = session(site, person)
        by = f"Bearer {mine['access']}"
        assert call(site, "DELETE", f"auth/sessions/{ident}/", credential=by).status == 404
        assert str(ident) not in call(site, "GET", "auth/sessions/", credential=by).text
        assert call(site, "DELETE", "auth/sessions/", credential=by).json() == {"ended": 1}
    by = f"Bearer {hers['access']}"
    assert call(site, "GET", "accounts/", credential=by, at=anywhere()).status == 200
