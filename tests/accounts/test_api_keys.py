"""API keys: issued once, a part of what their person may do, and refused at once when ended."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.access.errors import InvalidCredential
from accounts.access.models import Membership, TenantPolicy
from accounts.access.roles import Role
from accounts.audit.models import AuditEvent
from accounts.mfa.models import Authenticator
from accounts.tokens import actions, credentials, keys
from accounts.tokens.models import ApiKey
from tenants import context
from tenants.identifiers import new_id
from tests.accounts.doors import call, post, signed_in, stepped_up
from tests.accounts.test_members import told
from tests.cast import House, Person, anywhere, build_person, job, now
from tests.market import list_instrument

pytestmark = pytest.mark.by_turns


def issue(person: Person, **asked: Any) -> Any:
    body = {"name": "bot", "scope": "trade", **asked}
    return post("api-keys/", body, credential=stepped_up(person))


def issued(person: Person, **asked: Any) -> dict[str, Any]:
    answer = issue(person, **asked)
    assert answer.status_code == 201, answer.json()
    data: dict[str, Any] = answer.json()
    return data


def key(person: Person, **asked: Any) -> str:
    return f"Api-Key {issued(person, **asked)['key']}"


def account(person: Person, name: str) -> str:
    answer = person.post("accounts/", {"name": name})
    assert answer.status_code == 201, answer.json()
    return str(answer.json()["id"])


def test_the_secret_is_shown_once(house: House) -> None:
    data = issued(house.alice)
    assert data["key"].startswith("bk_")
    assert data["key"].startswith(data["prefix"])
    listed = house.alice.get("api-keys/")
    assert data["key"] not in listed.content.decode()
    [row] = listed.json()["results"]
    assert row == {name: value for name, value in data.items() if name != "key"}
    stored = ApiKey.objects.get(pk=data["id"])
    assert data["key"].encode() not in bytes(stored.digest)
    with job(house.tenant):
        said = str(list(AuditEvent.objects.values()))
    assert "api_key.issued" in said
    assert data["key"] not in said


def test_issuing_takes_somebody_who_has_just_proven_themselves(house: House) -> None:
    body = {"name": "bot", "scope": "read"}
    assert told(house.alice.post("api-keys/", body)) == (403, "step_up_needed")
    rotate = house.alice.post(f"api-keys/{issued(house.alice)['id']}/rotate/", None)
    assert told(rotate) == (403, "step_up_needed")


def test_a_viewer_has_no_keys(house: House) -> None:
    assert house.vera.get("api-keys/").status_code == 403
    assert issue(house.vera, scope="read").status_code == 403


@pytest.mark.parametrize("scope", ["read", "trade", "admin"])
def test_no_key_manages_keys(house: House, scope: str) -> None:
    credential = key(house.olga, scope=scope)
    assert call("GET", "api-keys/", credential=credential).status_code == 403
    body = {"name": "x", "scope": "read"}
    assert post("api-keys/", body, credential=credential).status_code == 403


@pytest.mark.parametrize(
    ("scope", "method", "path", "body", "status"),
    [
        ("read", "GET", "accounts/", None, 200),
        ("read", "POST", "accounts/", {"name": "x"}, 403),
        ("trade", "POST", "accounts/", {"name": "x"}, 201),
        ("trade", "GET", "members/", None, 200),
        ("trade", "POST", "invitations/", {"email": "x@x.example", "role": "viewer"}, 403),
        ("admin", "POST", "invitations/", {"email": "x@x.example", "role": "viewer"}, 201),
        ("admin", "POST", "invitations/", {"email": "x@x.example", "role": "owner"}, 403),
        ("admin", "PATCH", "tenant/policy/", {"requires_second_factor": True}, 403),
    ],
)
def test_a_key_carries_its_part_of_the_role(
    house: House, scope: str, method: str, path: str, body: Any, status: int
) -> None:
    answer = call(method, path, body, credential=key(house.olga, scope=scope))
    assert answer.status_code == status, answer.json()


def test_a_key_carries_no_more_than_the_role(house: House) -> None:
    assert told(issue(house.alice, scope="admin")) == (403, "scope_beyond_role")
    credential = key(house.alice)
    Membership.objects.filter(user_id=house.alice.user_id).update(role="viewer")
    assert call("GET", "orders/", credential=credential).status_code == 200
    assert post("accounts/", {"name": "x"}, credential=credential).status_code == 403


def test_a_read_key_cannot_write_even_by_sql(house: House) -> None:
    secret = issued(house.olga, scope="read")["key"]
    identity = keys.identify(secret, address=anywhere(), now=now())
    with pytest.raises(Exception, match="read-only"), context.enter(identity.context()):
        connection.cursor().execute("UPDATE accounts_membership SET role = 'owner'")


def test_a_rotated_key_has_a_new_secret_and_the_old_is_dead(house: House) -> None:
    old = issued(house.alice)
    path = f"api-keys/{old['id']}/rotate/"
    answer = call("POST", path, credential=stepped_up(house.alice))
    assert (answer.status_code, answer.json()["id"]) == (200, old["id"])
    fresh = answer.json()["key"]
    assert call("GET", "orders/", credential=f"Api-Key {old['key']}").status_code == 401
    assert call("GET", "orders/", credential=f"Api-Key {fresh}").status_code == 200
    house.alice.request("DELETE", f"api-keys/{old['id']}/")
    again = call("POST", path, credential=stepped_up(house.alice))
    assert told(again) == (409, "key_revoked")


def test_a_revoked_key_is_refused_at_once(house: House) -> None:
    data = issued(house.alice)
    credential = f"Api-Key {data['key']}"
    assert call("GET", "orders/", credential=credential).status_code == 200
    for _ in range(2):
        assert house.alice.request("DELETE", f"api-keys/{data['id']}/").status_code == 204
    assert told(call("GET", "orders/", credential=credential)) == (401, "invalid_credential")
    [row] = house.alice.get("api-keys/").json()["results"]
    assert row["revoked_at"] is not None


def test_an_admin_does_not_revoke_an_owners_key(house: House) -> None:
    ada = build_person(house.tenant, "ada", Role.ADMIN)
    credential = f"Api-Key {(data := issued(house.olga))['key']}"
    refused = ada.request("DELETE", f"api-keys/{data['id']}/")
    assert told(refused) == (403, "role_out_of_reach")
    assert call("GET", "orders/", credential=credential).status_code == 200
    hers = issued(house.alice)
    assert ada.request("DELETE", f"api-keys/{hers['id']}/").status_code == 204


def test_owners_see_and_revoke_all_keys_but_get_nobodys_secret(house: House) -> None:
    hers = issued(house.alice)
    assert [row["id"] for row in house.olga.get("api-keys/").json()["results"]] == [hers["id"]]
    rotate = call("POST", f"api-keys/{hers['id']}/rotate/", credential=stepped_up(house.olga))
    assert told(rotate) == (404, "not_found")
    assert house.olga.request("DELETE", f"api-keys/{hers['id']}/").status_code == 204
    assert call("GET", "orders/", credential=f"Api-Key {hers['key']}").status_code == 401


def test_anothers_key_is_as_missing_as_none(house: House) -> None:
    hers = issued(house.alice)["id"]
    oscar = build_person(house.mallory.tenant, "oscar", Role.OWNER)
    for stranger in (house.bob, house.mallory, oscar):
        assert hers not in stranger.get("api-keys/").content.decode()
        for method, tail in (("DELETE", ""), ("POST", "rotate/")):
            credential = stepped_up(stranger)
            theirs = call(method, f"api-keys/{hers}/{tail}", credential=credential)
            missing = call(method, f"api-keys/{uuid4()}/{tail}", credential=credential)
            assert told(theirs) == told(missing) == (404, "not_found")
    assert ApiKey.objects.get(pk=hers).revoked_at is None


@pytest.mark.parametrize(
    "asked",
    [
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"addresses": ["10.0.0.1/8"]},
        {"addresses": ["everywhere"]},
        {"addresses": "10.0.0.0/8"},
        {"addresses": ["10.0.0.0/8"] * 51},
        {"scope": "owner"},
        {"name": ""},
        {"account": "x"},
    ],
)
def test_what_makes_no_key_is_refused(house: House, asked: dict[str, Any]) -> None:
    assert told(issue(house.alice, **asked)) == (400, "invalid")


def test_fields_that_are_not_offered_have_no_effect(house: House) -> None:
    data = issued(
        house.alice,
        user=str(house.olga.user_id),
        user_id=str(house.olga.user_id),
        key_scope="admin",
        tenant=str(house.mallory.tenant.id),
        digest="x",
    )
    stored = ApiKey.objects.get(pk=data["id"])
    assert (stored.user_id, stored.tenant_id) == (house.alice.user_id, house.tenant.id)
    assert stored.key_scope == "trade"


def test_a_key_runs_out(house: House) -> None:
    later = (now() + timedelta(hours=1)).isoformat()
    data = issued(house.alice, expires_at=later)
    credential = f"Api-Key {data['key']}"
    assert call("GET", "orders/", credential=credential).status_code == 200
    ApiKey.objects.filter(pk=data["id"]).update(expires_at=now())
    assert call("GET", "orders/", credential=credential).status_code == 401


def test_a_key_is_good_from_its_networks_only(house: House) -> None:
    data = issued(house.alice, addresses=["192.0.2.0/24", "2001:db8:1::1"])
    assert data["addresses"] == ["192.0.2.0/24", "2001:db8:1::1/128"]
    credential = f"Api-Key {data['key']}"
    for address, status in (("192.0.2.7", 200), ("2001:db8:1::1", 200), ("198.51.100.1", 401)):
        answer = call("GET", "orders/", at=address, credential=credential)
        assert answer.status_code == status, address


def test_an_address_in_the_clothes_of_the_other_kind_is_what_it_is(house: House) -> None:
    """As a socket for both kinds shows IPv4 addresses."""
    bound = ["203.0.113.5/32", "::ffff:198.51.100.0/120", "::ffff:192.0.2.1"]
    data = issued(house.alice, addresses=bound)
    assert data["addresses"] == ["203.0.113.5/32", "198.51.100.0/24", "192.0.2.1/32"]
    credential = f"Api-Key {data['key']}"
    for address in ("::ffff:203.0.113.5", "203.0.113.5", "::ffff:198.51.100.9", "192.0.2.1"):
        assert call("GET", "orders/", at=address, credential=credential).status_code == 200, address
    for address in ("::ffff:203.0.113.6", "::203.0.113.5", "64:ff9b::203.0.113.5"):
        assert call("GET", "orders/", at=address, credential=credential).status_code == 401, address


def test_a_key_that_was_bound_in_those_clothes_before_is_held_to_the_same() -> None:
    networks = ["::ffff:203.0.113.0/120"]
    assert keys.comes_from("::ffff:203.0.113.5", networks)
    assert keys.comes_from("203.0.113.5", networks)
    assert not keys.comes_from("203.0.114.5", networks)
    assert not keys.comes_from("203.0.113.5", ["::/0"])


def test_the_last_use_is_noted_once_a_minute(house: House) -> None:
    data = issued(house.alice, scope="read")
    credential = f"Api-Key {data['key']}"
    assert data["last_used_at"] is None
    call("GET", "orders/", credential=credential)
    first = ApiKey.objects.get(pk=data["id"]).last_used_at
    call("GET", "orders/", credential=credential)
    assert first is not None
    assert ApiKey.objects.get(pk=data["id"]).last_used_at == first


def test_a_key_of_one_account_is_the_callers_to_issue(house: House) -> None:
    hers, his = account(house.alice, "hers"), account(house.bob, "his")
    foreign = account(house.mallory, "foreign")
    assert issue(house.alice, account=hers).status_code == 201
    refused = [issue(house.alice, account=a) for a in (his, foreign, str(uuid4()))]
    assert {told(answer) for answer in refused} == {(404, "not_found")}
    assert issue(house.olga, account=his).status_code == 201
    assert told(issue(house.olga, account=foreign)) == (404, "not_found")
    assert told(issue(house.olga, account=his, scope="admin")) == (400, "invalid")


def test_a_key_of_one_account_meets_no_other(house: House) -> None:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    one, other = account(house.alice, "one"), account(house.alice, "other")
    for where in (one, other):
        money = {"currency": "USD", "amount": "1000"}
        house.alice.post(f"accounts/{where}/deposit/", money, Idempotency_Key=uuid4().hex)
    order = {"instrument": market.symbol, "side": "buy", "type": "limit", "quantity": "1"}
    order |= {"limit_price": "1"}
    elsewhere = house.alice.post("orders/", {**order, "account": other}).json()["id"]
    credential = key(house.alice, account=one)
    placed = post("orders/", {**order, "account": one}, credential=credential)
    assert placed.status_code == 201, placed.json()
    assert told(post("orders/", {**order, "account": other}, credential=credential))[0] == 404
    seen = call("GET", "orders/", credential=credential).json()["results"]
    assert [row["id"] for row in seen] == [placed.json()["id"]]
    mine = call("GET", "accounts/", credential=credential).json()["results"]
    assert [row["id"] for row in mine] == [one]
    for method, path in (
        ("GET", f"accounts/{other}/"),
        ("GET", f"accounts/{other}/balances/"),
        ("POST", f"accounts/{other}/deposit/"),
        ("PATCH", f"accounts/{other}/"),
        ("GET", f"orders/{elsewhere}/"),
        ("DELETE", f"orders/{elsewhere}/"),
    ):
        body = {"currency": "USD", "amount": "1"} if method == "POST" else None
        body = {"name": "x"} if method == "PATCH" else body
        assert told(call(method, path, body, credential=credential)) == (404, "not_found"), path
    assert told(post("accounts/", {"name": "third"}, credential=credential))[0] == 404
    assert call("GET", "portfolio/", credential=credential).status_code in (200, 403)
    assert other not in call("GET", "portfolio/", credential=credential).content.decode()
    assert call("GET", "instruments/", credential=credential).status_code == 200
    canceled = post("orders/cancel-all/", {}, credential=credential).json()
    assert [row["id"] for row in canceled] == [placed.json()["id"]]
    assert house.alice.get(f"orders/{elsewhere}/").json()["status"] == "accepted"


def test_a_key_of_one_account_opens_no_view_of_the_whole(house: House) -> None:
    his = account(house.bob, "his")
    credential = key(house.olga, account=his, scope="trade")
    assert call("GET", "members/", credential=credential).status_code == 403
    assert [
        row["id"] for row in call("GET", "accounts/", credential=credential).json()["results"]
    ] == [his]


def test_there_are_so_many_keys_a_person(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "AT_MOST", 1)
    issued(house.alice)
    assert told(issue(house.alice)) == (409, "too_many_keys")
    issued(house.bob)


def test_by_sql_a_person_sees_and_changes_own_keys_only(house: House) -> None:
    issued(house.bob)
    issued(house.mallory)
    with house.alice.inside(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_apikey")
        assert cursor.fetchone() == (0,)
        cursor.execute("UPDATE accounts_apikey SET key_scope = 'admin'")
        assert cursor.rowcount == 0


def test_a_real_session_issues_after_stepping_up(house: House) -> None:
    hers = signed_in(house.alice)
    stepped = call("POST", "auth/step-up/", {"password": "Correct-horse-7"}, credential=hers)
    credential = f"Bearer {stepped.json()['access']}"
    assert (
        post("api-keys/", {"name": "k", "scope": "read"}, credential=credential).status_code == 201
    )


def test_a_second_factor_that_the_tenant_asks_for_binds_keys_too(house: House) -> None:
    credential = key(house.alice)
    policy = TenantPolicy.objects.create(tenant=house.tenant, requires_second_factor=True)
    owing = (403, "second_factor_enrolment_needed")
    assert told(call("GET", "orders/", credential=credential)) == owing
    added = Authenticator.objects.create(
        user_id=house.alice.user_id, sealed_secret=b"x", created_at=now()
    )
    assert told(call("GET", "orders/", credential=credential)) == owing
    Authenticator.objects.filter(pk=added.pk).update(confirmed_at=now())
    assert call("GET", "orders/", credential=credential).status_code == 200
    Authenticator.objects.filter(pk=added.pk).delete()
    TenantPolicy.objects.filter(pk=policy.pk).update(requires_second_factor=False)
    assert call("GET", "orders/", credential=credential).status_code == 200


def test_a_key_is_looked_up_in_one_query(house: House) -> None:
    secret = issued(house.alice)["key"]
    keys.identify(secret, address=anywhere(), now=now())
    with CaptureQueriesContext(connection) as asked:
        keys.identify(secret, address=anywhere(), now=now())
    assert len(asked) == 1


@pytest.mark.parametrize("ago", [301, -31, -(10**9)])
def test_a_proof_is_of_the_last_minutes_and_not_of_the_future(house: House, ago: int) -> None:
    grant = credentials.Grant(
        house.alice.user_id,
        house.tenant.id,
        house.alice.role,
        new_id(),
        stepped_up_at=int(now().timestamp()) - ago,
    )
    credential = f"Bearer {credentials.issue(grant, now=now())}"
    refused = post("api-keys/", {"name": "k", "scope": "read"}, credential=credential)
    assert told(refused) == (403, "step_up_needed")
    assert call("GET", "api-keys/", credential=credential).status_code == 200


def with_claim(house: House, name: str, value: Any) -> str:
    """A token of ours with one claim that we never write."""
    with patch.object(credentials.jwt, "encode", side_effect=credentials.jwt.encode) as encode:
        credentials.issue(
            credentials.Grant(house.alice.user_id, house.tenant.id, house.alice.role, new_id()),
            now=now(),
        )
    [claims, secret], how = encode.call_args
    return str(credentials.jwt.encode({**claims, name: value}, secret, **how))


NO_NUMBERS = [float("inf"), float("-inf"), float("nan")]
ODD_CLAIMS = [
    *product(("stepped", "exp", "iat"), NO_NUMBERS),
    *product(("exp", "iat"), ([], {})),  # of `stepped` an empty one stands for none
]


@pytest.mark.parametrize(("name", "value"), ODD_CLAIMS)
def test_a_number_without_end_is_no_credential(house: House, name: str, value: Any) -> None:
    with pytest.raises(InvalidCredential):
        credentials.identify(with_claim(house, name, value))


def test_an_identity_knows_when_its_token_ends(house: House) -> None:
    ends = now().timestamp() + 60.5
    assert credentials.identify(with_claim(house, "exp", ends)).expires_at == int(ends)
