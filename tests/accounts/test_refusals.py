"""Refusals on record: where they belong, once an hour, and never so many that they fill a disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from accounts.access.models import Membership
from accounts.access.roles import Role
from accounts.audit import verification
from accounts.audit.models import AuditEvent
from accounts.members import actions as members
from accounts.sessions import tasks
from accounts.sessions.models import RefreshToken
from accounts.tokens import keys
from accounts.tokens.models import ApiKey
from accounts.trail import refusals
from accounts.trail.models import PlatformEvent
from accounts.users.models import User
from tenants.models import Tenant
from tests.accounts.doors import call, post
from tests.accounts.test_api_keys import issued
from tests.accounts.test_sessions import log_in
from tests.cast import House, anywhere, build_tenant, job, now

pytestmark = pytest.mark.by_turns

GUESSED = "guesses.too_many"
MISMATCH = "credential.tenant_mismatch"


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests guess on one platform."""
    monkeypatch.setattr(refusals, "_OF_PLATFORM", 10**9)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What workers are told."""
    messages: list[tuple[str, ...]] = []
    monkeypatch.setattr(tasks.tell_tenants, "delay", lambda *args: messages.append(args))
    return messages


def guess(email: str, *, at: str, times: int) -> list[int]:
    body = {"email": email, "password": "Wrong-horse-7"}
    return [post("auth/login/", body, at=at).status_code for _ in range(times)]


def on_platform(action: str, at: str) -> list[PlatformEvent]:
    return list(PlatformEvent.objects.filter(action=action, address=at))


def in_tenant(tenant: Tenant, action: str) -> list[AuditEvent]:
    with job(tenant):
        return list(AuditEvent.objects.filter(action=action))


def test_the_guess_with_which_a_wait_begins_is_on_record_once(house: House) -> None:
    attacker, email = anywhere(), house.alice.email
    assert guess(email, at=attacker, times=4) == [401] * 4
    assert on_platform(GUESSED, attacker) == []
    assert guess(email, at=attacker, times=4)[0] == 401
    (event,) = on_platform(GUESSED, attacker)
    assert (event.actor, event.kind) == ("system:guesses", "account")
    assert event.after == {"because": "wrong_login", "user": str(house.alice.user_id)}
    assert email not in f"{event.key}{event.before}{event.after}"
    elsewhere = anywhere()
    guess(email, at=elsewhere, times=5)
    assert [e.key for e in on_platform(GUESSED, elsewhere)] == [event.key]


def test_an_account_that_nobody_has_leaves_the_same(sent: list[tuple[str, ...]]) -> None:
    attacker = anywhere()
    guess(f"nobody{uuid4().hex}@x.example", at=attacker, times=6)
    (event,) = on_platform(GUESSED, attacker)
    assert event.after == {"because": "wrong_login", "user": None}
    assert sent == [("", attacker, "wrong_login")]


def test_the_persons_tenants_hear_of_it_and_no_others(
    house: House, sent: list[tuple[str, ...]]
) -> None:
    second, attacker = build_tenant(house.tier), anywhere()
    user = User.objects.get(pk=house.alice.user_id)
    members.ensure_member(tenant=second, user=user, role=Role.TRADER, by="system:test", now=now())
    guess(house.alice.email, at=attacker, times=6)
    (message,) = sent
    for _ in range(2):  # as after a worker's death
        tasks.tell_tenants(*message)
    for tenant in (house.tenant, second):
        (event,) = in_tenant(tenant, GUESSED)
        assert (event.actor, event.actor_id) == ("system:guesses", None)
        assert (event.key, event.address) == (str(user.pk), attacker)
        assert event.after == {"because": "wrong_login"}
    assert in_tenant(house.mallory.tenant, GUESSED) == []


def test_nobody_is_nobodys_tenants_business() -> None:
    tasks.tell_tenants("", anywhere(), "wrong_login")
    tasks.tell_tenants(str(uuid4()), anywhere(), "wrong_login")


def revoke(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=now())


def let_expire(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expires_at=now() - timedelta(seconds=1))


def leave(key: ApiKey) -> None:
    Membership.objects.filter(user_id=key.user_id).delete()


def deactivate(key: ApiKey) -> None:
    User.objects.filter(pk=key.user_id).update(is_active=False)


def bind(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(addresses=["192.0.2.0/24"])


@pytest.mark.parametrize(
    ("spoil", "because"),
    [
        (revoke, "revoked"),
        (let_expire, "expired"),
        (leave, "its person is no member"),
        (deactivate, "its person is no member"),
        (bind, "another address"),
    ],
)
def test_a_refused_key_is_on_record_in_its_tenant_once(
    house: House, spoil: Callable[[ApiKey], None], because: str
) -> None:
    data = issued(house.alice)
    spoil(ApiKey.objects.get(pk=data["id"]))
    credential, at = f"Api-Key {data['key']}", anywhere()
    for _ in range(3):
        assert call("GET", "orders/", credential=credential, at=at).status_code == 401
    (event,) = in_tenant(house.tenant, "api_key.refused")
    assert (event.actor, event.actor_id) == (f"key:{data['id']}", house.alice.user_id)
    assert (event.key, event.after) == (data["id"], {"because": because})
    assert event.address == at
    assert verification.of_tenant(house.tenant).faults == ()


def test_a_key_that_nobody_has_is_on_record_on_the_platform() -> None:
    secret, at = keys.new_secret(), anywhere()
    for credential in (secret, keys.new_secret()):
        assert call("GET", "orders/", credential=f"Api-Key {credential}", at=at).status_code == 401
    (event,) = on_platform("api_key.unknown", at)
    assert event.key == keys.shown(secret)
    assert secret not in str(event.__dict__)


def test_the_key_of_a_suspended_tenant_is_on_record_on_the_platform(house: House) -> None:
    data, at = issued(house.alice), anywhere()
    revoke(ApiKey.objects.get(pk=data["id"]))
    Tenant.objects.filter(pk=house.tenant.pk).update(status=Tenant.Status.SUSPENDED)
    answer = call("GET", "orders/", credential=f"Api-Key {data['key']}", at=at)
    assert answer.status_code == 401
    (event,) = on_platform("api_key.refused", at)
    assert (event.actor, event.key) == (f"key:{data['id']}", data["id"])


def session_of(house: House) -> dict[str, Any]:
    """What Alice gets for her password."""
    given: dict[str, Any] = log_in(house).json()
    return given


def away(house: House, given: dict[str, Any], *, at: str = "") -> Any:
    """Her refresh token at Mallory's address."""
    client = Client(raise_request_exception=False, REMOTE_ADDR=at or anywhere())
    path = f"/t/{house.mallory.tenant.slug}/api/v1/auth/refresh/"
    return client.post(path, {"refresh": given["refresh"]}, content_type="application/json")


def log_out(_house: House, given: dict[str, Any]) -> None:
    out = post("auth/logout/", None, credential=f"Bearer {given['access']}")
    assert out.status_code == 204


def run_out(house: House, _given: dict[str, Any]) -> None:
    late = now() - timedelta(seconds=1)
    RefreshToken.objects.filter(user_id=house.alice.user_id).update(expires_at=late)


def be_removed(house: House, _given: dict[str, Any]) -> None:
    Membership.objects.filter(user_id=house.alice.user_id).delete()


def be_shut_out(house: House, _given: dict[str, Any]) -> None:
    User.objects.filter(pk=house.alice.user_id).update(is_active=False)


@pytest.mark.parametrize("end", [log_out, run_out, be_removed, be_shut_out])
def test_a_dead_refresh_token_writes_nothing_wherever_it_is_shown(
    house: House, end: Callable[[House, dict[str, Any]], None]
) -> None:
    given = session_of(house)
    end(house, given)
    with job(house.tenant):
        before = AuditEvent.objects.count()
    for _ in range(3):
        assert away(house, given).json()["code"] == "invalid_credential"
    with job(house.tenant):
        assert AuditEvent.objects.count() == before


def test_a_used_refresh_token_ends_its_session_at_any_address(house: House) -> None:
    given = session_of(house)
    fresh = post("auth/refresh/", {"refresh": given["refresh"]}).json()
    for _ in range(3):
        assert away(house, given).json()["code"] == "invalid_credential"
    assert len(in_tenant(house.tenant, "session.ended")) == 1
    assert in_tenant(house.tenant, MISMATCH) == []
    refused = post("auth/refresh/", {"refresh": fresh["refresh"]})
    assert refused.json()["code"] == "invalid_credential"


def test_a_credential_at_another_tenants_address_is_on_record_once(house: House) -> None:
    given, at = session_of(house), anywhere()
    path = f"/t/{house.mallory.tenant.slug}/api/v1/accounts/"
    client = Client(raise_request_exception=False, REMOTE_ADDR=at)
    headers = {"Authorization": f"Bearer {given['access']}"}
    for _ in range(3):
        assert client.get(path, headers=headers).json()["code"] == "tenant_mismatch"
        assert away(house, given, at=at).json()["code"] == "tenant_mismatch"
    (event,) = in_tenant(house.tenant, MISMATCH)
    assert (event.actor_id, event.key, event.address) == (house.alice.user_id, path, at)
    elsewhere = anywhere()
    away(house, given, at=elsewhere)
    addresses = {event.address for event in in_tenant(house.tenant, MISMATCH)}
    assert addresses == {at, elsewhere}
    assert in_tenant(house.mallory.tenant, MISMATCH) == []


def test_a_tenants_trail_takes_so_many_an_hour(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "_OF_TENANT", 2)
    data = issued(house.alice)
    revoke(ApiKey.objects.get(pk=data["id"]))
    for at in (anywhere(), anywhere(), anywhere()):
        answer = call("GET", "orders/", credential=f"Api-Key {data['key']}", at=at)
        assert answer.status_code == 401
    assert len(in_tenant(house.tenant, "api_key.refused")) == 2


def test_every_trail_has_room_of_its_own() -> None:
    full, other = uuid4().hex, uuid4().hex
    assert [refusals._has_room(full, 2) for _ in range(3)] == [True, True, False]
    assert refusals._has_room(other, 2)


def test_the_same_refusal_is_new_once() -> None:
    key: Any = uuid4()
    assert [refusals.is_first("x", key), refusals.is_first("x", key)] == [True, False]
    assert refusals.is_first("x", UUID(int=key.int ^ 1))
