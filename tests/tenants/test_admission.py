"""The door: buckets that are fair, endings that hold at once, locks, and nothing left open."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from accounts.sessions.models import Session
from tenants import admission, limits, valkey
from tenants.admission import Guest
from tenants.lifecycle import emergency
from tenants.models import Plan, Tenant
from tests.cast import PASSWORD, House, anywhere, build_tenant, now


@pytest.fixture
def narrow() -> Tenant:
    """A tenant whose plan allows 40 requests a minute: 20 to a person, 10 to a person's keys."""
    plan = Plan.objects.get(code="starter")
    plan.pk, plan.name, plan.requests_per_minute = f"n{uuid4().hex[:8]}", "Narrow", 40
    plan.save(force_insert=True)
    tenant = build_tenant()
    Tenant.objects.filter(pk=tenant.pk).update(plan=plan)
    return tenant


def guest(tenant: Tenant) -> Guest:
    return Guest(anywhere(), tenant.id, uuid4(), uuid4())


def let_in(visitor: Guest, times: int) -> int:
    """How many of so many requests at once are let in."""

    def ask(_number: int) -> bool:
        try:
            admission.admit(visitor, is_data=True)
        except admission.TooManyRequests:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(ask, range(times)))


def ask_until_refused(visitor: Guest) -> admission.TooManyRequests:
    """A refusal, after as many requests as the tenant has room for."""
    for _ in range(80):
        try:
            admission.admit(visitor, is_data=True)
        except admission.TooManyRequests as refused:
            return refused
    raise AssertionError("nobody is refused")


def left_of(tenant: Tenant) -> float:
    kept = valkey.client().hget(f"rate:tenant:{tenant.id}", "left")
    assert isinstance(kept, bytes)
    return float(kept)


def test_a_person_gets_their_share_and_no_more_however_many_ask_at_once(narrow: Tenant) -> None:
    # The tenant's bucket gains two thirds of a token a second; the test takes a second or two.
    assert 20 <= let_in(guest(narrow), 60) <= 23


def test_who_is_alone_in_a_tenant_gets_its_whole_rate(narrow: Tenant) -> None:
    """Beyond the share the tenant's bucket decides: what comes back into it is theirs."""
    alone = guest(narrow)
    assert ask_until_refused(alone).headers["RateLimit-Limit"] == "20"
    for _ in range(5):
        valkey.client().hset(f"rate:tenant:{narrow.id}", "left", 22)
        assert admission.admit(alone, is_data=True).size == 40
    assert left_of(narrow) >= 20


def test_a_greedy_key_is_refused_and_its_owners_session_is_not(narrow: Tenant) -> None:
    key = Guest(anywhere(), narrow.id, uuid4(), uuid4(), is_key=True)
    other = Guest(anywhere(), narrow.id, key.user_id, uuid4(), is_key=True)
    session = Guest(anywhere(), narrow.id, key.user_id, uuid4())
    for greedy in (key, other):
        assert ask_until_refused(greedy).headers["RateLimit-Limit"] == "10"
    assert let_in(session, 10) == 10
    assert let_in(guest(narrow), 5) == 5


def test_a_greedy_person_leaves_room_for_the_others_of_the_tenant(narrow: Tenant) -> None:
    let_in(guest(narrow), 100)
    assert let_in(guest(narrow), 10) == 10


def test_a_tenant_gets_what_its_plan_allows_and_others_are_not_touched(narrow: Tenant) -> None:
    let_in_all = sum(let_in(guest(narrow), 15) for _ in range(4))
    assert 40 <= let_in_all <= 42
    assert let_in(guest(build_tenant()), 10) == 10


def test_a_refused_request_says_when_to_come_back(narrow: Tenant) -> None:
    headers = ask_until_refused(guest(narrow)).headers
    assert headers["RateLimit-Limit"] == "20"
    assert headers["RateLimit-Remaining"] == "0"
    assert 1 <= int(headers["Retry-After"]) <= 3


def test_the_limits_of_a_plan_change_without_a_restart(narrow: Tenant) -> None:
    assert admission.admit(guest(narrow), is_data=True).size == 20
    Plan.objects.filter(tenants=narrow).update(requests_per_minute=4_000)
    limits._known.clear()  # half a minute later
    assert admission.admit(guest(narrow), is_data=True).size == 4_000


def test_no_more_plans_are_remembered_than_memory_has_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "_REMEMBERED_AT_MOST", 2)
    monkeypatch.setattr(limits, "_known", {})
    for _ in range(3):
        assert limits.of(build_tenant().id).requests_per_minute
        assert len(limits._known) <= 2


def test_every_answer_tells_what_is_left(house: House) -> None:
    answer = house.alice.get("accounts/")
    assert int(answer["RateLimit-Limit"]) > int(answer["RateLimit-Remaining"]) >= 0
    assert int(answer["RateLimit-Reset"]) >= 0


def test_a_refusal_tells_what_is_left_too(house: House, settings: object) -> None:
    settings.ADDRESS_REQUESTS_PER_MINUTE = 6
    here = Client(REMOTE_ADDR=anywhere(), raise_request_exception=False)
    bad = {"Authorization": "Bearer a.b.c"}
    told = [
        here.get("/api/v1/accounts/", headers=bad),
        here.get("/t/nobody-here/api/v1/accounts/"),
        here.get("/api/v1/accounts/", headers={"Host": "nobody-here.localhost"}),
    ]
    assert [answer.status_code for answer in told] == [401, 404, 404]
    token = {"Authorization": f"Bearer {sign_in(house)}"}
    Client(REMOTE_ADDR=anywhere()).delete("/api/v1/auth/sessions/", headers=token)
    ended = here.get("/api/v1/accounts/", headers=token)
    assert (ended.status_code, ended.json()["code"]) == (401, "session_ended")
    away = here.get(f"/t/{house.tenant.slug}/api/v1/accounts/", headers=house.mallory.headers)
    assert (away.status_code, away.json()["code"]) == (403, "tenant_mismatch")
    left = [(a["RateLimit-Limit"], a["RateLimit-Remaining"]) for a in (*told, ended, away)]
    assert left == [("6", "5"), ("6", "4"), ("6", "3"), ("6", "2"), ("6", "1")]
    assert 40 <= int(away["RateLimit-Reset"]) <= 50


def test_a_look_into_a_bucket_takes_nothing_from_it(settings: object) -> None:
    settings.ADDRESS_REQUESTS_PER_MINUTE = 2
    stranger = anywhere()
    for _ in range(5):
        admission.knock(stranger)
    assert [admission.turn_away(stranger).left for _ in range(2)] == [1, 0]
    with pytest.raises(admission.TooManyRequests):
        admission.knock(stranger)
    admission.knock(anywhere())


def test_where_no_bucket_was_asked_no_header_tells_of_one() -> None:
    assert admission.admit(Guest(""), is_data=False).headers() == {}


def test_an_address_is_limited_whoever_it_says_it_is(settings: object) -> None:
    settings.ADDRESS_REQUESTS_PER_MINUTE = 5
    client = Client(REMOTE_ADDR=anywhere(), raise_request_exception=False)
    bad = {"Authorization": "Bearer a.b.c"}
    statuses = [client.get("/api/v1/accounts/", headers=bad).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2


def sign_in(house: House) -> str:
    client = Client(REMOTE_ADDR=anywhere())
    body = {"email": house.alice.email, "password": PASSWORD}
    answer = client.post("/api/v1/auth/login/", body, content_type="application/json")
    return str(answer.json()["access"])


def status(token: str) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"}
    answer = Client(raise_request_exception=False).get("/api/v1/accounts/", headers=headers)
    return answer.status_code, answer.json().get("code", "")


def test_an_ended_session_is_refused_at_once_and_the_database_is_not_asked(house: House) -> None:
    token = sign_in(house)
    assert status(token) == (200, "")
    headers = {"Authorization": f"Bearer {token}"}
    assert Client().delete("/api/v1/auth/sessions/", headers=headers).json() == {"ended": 1}
    assert status(token) == (401, "session_ended")


def test_a_valkey_that_has_forgotten_is_told_again_what_has_ended(house: House) -> None:
    token = sign_in(house)
    headers = {"Authorization": f"Bearer {token}"}
    Client().delete("/api/v1/auth/sessions/", headers=headers)
    session = Session.objects.get(user_id=house.alice.user_id, ended_at__isnull=False)
    valkey.client().delete(f"revoked:session:{session.id}", "revoked:complete")
    assert status(token) == (401, "session_ended")


def test_the_emergency_lock_closes_one_tenants_data_and_leaves_log_in_open(house: House) -> None:
    slug = house.tenant.slug
    call_command("emergency_lock", "on", "--tenant", slug)
    try:
        assert status(house.alice.token) == (503, "locked")
        assert sign_in(house)
        assert status(house.mallory.token) == (200, "")
        valkey.client().delete(f"locked:tenant:{house.tenant.id}", "revoked:complete")
        assert status(house.alice.token) == (503, "locked")
    finally:
        call_command("emergency_lock", "off", "--tenant", slug)
    assert status(house.alice.token) == (200, "")


def test_a_valkey_that_stays_incomplete_ends_no_session(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever cannot be told to have left is asked to come back, and not told to have left."""
    monkeypatch.setattr(admission, "recall", lambda: None)
    valkey.client().delete("revoked:complete")
    try:
        assert status(house.alice.token) == (503, "unavailable")
    finally:
        valkey.client().set("revoked:complete", 1)
    assert status(house.alice.token) == (200, "")


def test_a_valkey_emptied_before_the_commit_hears_of_an_ended_session_after_it() -> None:
    """Somebody's request may have had it filled meanwhile, with what was committed until then."""
    ended = uuid4()
    with transaction.atomic():
        admission.end([ended])
        assert valkey.client().delete(f"revoked:session:{ended}")
    assert valkey.client().exists(f"revoked:session:{ended}")


def test_a_valkey_emptied_before_the_commit_hears_of_a_lock_after_it(house: House) -> None:
    with transaction.atomic():
        emergency.lock(tenant=house.tenant, by="test", now=now())
        assert valkey.client().delete(f"locked:tenant:{house.tenant.id}")
    try:
        assert status(house.alice.token) == (503, "locked")
    finally:
        emergency.unlock(tenant=house.tenant, by="test")
