"""The front door: what a stranger learns from it, how often he may knock, and what dies at the end.

Times are measured by `python -m benchmarks.sign_in`; here the work is counted that they come from.
"""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.sessions import attempts, tasks
from accounts.trail import refusals
from accounts.users import actions as users
from tests.attacks.browser import Browser
from tests.attacks.wire import Answer, call, log_in, send, session
from tests.cast import PASSWORD, House, anywhere, build_house, now
from tests.web import Server

pytestmark = pytest.mark.by_turns

WRONG = "Wrong-horse-7"
VARYING = ("date", "x-request-id", "content-length")


def nobody() -> str:
    return f"nobody{uuid4().hex}@x.example"


def guess(site: Server, email: str, password: str = WRONG, *, at: str = "", **more: str) -> Answer:
    body = {"email": email, "password": password, **more}
    return call(site, "POST", "auth/login/", body, at=at)


def test_unknown_and_wrong_cannot_be_told_apart(site: Server, house: House) -> None:
    answers = [
        guess(site, nobody()),
        guess(site, house.alice.email),
        guess(site, house.alice.email, PASSWORD, tenant=house.mallory.tenant.slug),
        guess(site, house.alice.email, PASSWORD, tenant="nobody-here"),
        guess(site, nobody(), PASSWORD, otp="000000"),
        guess(site, nobody(), tenant=house.tenant.slug),
    ]
    assert {answer.told for answer in answers} == {(401, "wrong_login")}
    first, *others = answers
    for other in others:
        assert other.shape == first.shape
        assert len(other.content) == len(first.content)
        assert {k: v for k, v in other.headers.items() if k not in VARYING} == {
            k: v for k, v in first.headers.items() if k not in VARYING
        }


class Counted:
    """How many passwords are hashed, whichever way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.hashes = 0
        kind = type(hashers.get_hasher())
        encode = kind.encode

        def counting(hasher: Any, *args: Any, **kwargs: Any) -> Any:
            self.hashes += 1
            return encode(hasher, *args, **kwargs)

        monkeypatch.setattr(kind, "encode", counting)

    def during(self, path: str, body: dict[str, str]) -> int:
        self.hashes = 0
        client = Client(raise_request_exception=False, REMOTE_ADDR=anywhere())
        client.post(f"/api/v1/{path}", body, content_type="application/json")
        return self.hashes


def test_unknown_and_wrong_take_the_same_work(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(monkeypatch)
    shut_out = build_house("starter").alice
    users.User.objects.filter(pk=shut_out.user_id).update(is_active=False)
    work = {
        name: counted.during("auth/login/", {"email": email, "password": password})
        for name, email, password in (
            ("unknown", nobody(), WRONG),
            ("wrong", house.alice.email, WRONG),
            ("right", house.alice.email, PASSWORD),
            ("shut out", shut_out.email, PASSWORD),
        )
    }
    assert set(work.values()) == {1}, work


def test_the_guess_with_which_a_wait_begins_takes_the_same_work(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on record, and a worker is told: for unknown and known the same way."""
    monkeypatch.setattr(refusals, "_OF_PLATFORM", 10**9)  # all tests guess on one platform
    work = []
    for email in (nobody(), house.alice.email):
        sent: list[Any] = []
        monkeypatch.setattr(tasks.tell_tenants, "delay", lambda *args, to=sent: to.append(args))
        client = Client(raise_request_exception=False, REMOTE_ADDR=anywhere())
        body = {"email": email, "password": WRONG}
        statements = []
        for _ in range(6):
            with CaptureQueriesContext(connection) as asked:
                client.post("/api/v1/auth/login/", body, content_type="application/json")
            statements.append([kind_of(query["sql"]) for query in asked])
        work.append((statements, len(sent)))
    unknown, known = work
    assert unknown == known
    begins = ["SELECT accounts_user", "SELECT accounts_user", "INSERT accounts_platformevent"]
    assert known == ([begins[:1]] * 4 + [begins, []], 1)


def kind_of(statement: str) -> str:
    """The verb and the table of a statement."""
    found = re.match(r'(\w+) (?:INTO |.*? FROM )"(\w+)"', statement)
    assert found, statement
    return f"{found[1]} {found[2]}"


def test_signing_up_as_somebody_known_takes_the_same_work(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(monkeypatch)
    work = [
        counted.during(
            "auth/signup/",
            {"email": email, "password": "Another-horse-8", "tenant": f"t{uuid4().hex[:12]}"},
        )
        for email in (nobody(), house.alice.email)
    ]
    assert work == [1, 1]


def test_asking_for_a_reset_tells_nobody_who_is_known(site: Server, house: House) -> None:
    known, unknown = (
        call(site, "POST", "auth/password/reset/", {"email": email})
        for email in (house.alice.email, nobody())
    )
    assert (known.status, known.content) == (unknown.status, unknown.content)


def test_brute_force_from_one_address_is_stopped_and_the_owner_comes_in(
    site: Server, house: House
) -> None:
    home, attacker = anywhere(), anywhere()
    assert log_in(site, house.alice, at=home).status == 200
    answers = [guess(site, house.alice.email, at=attacker) for _ in range(12)]
    assert [answer.status for answer in answers[:5]] == [401] * 5
    for answer in answers[6:]:
        assert answer.told == (429, "too_many_attempts")
        assert int(answer.headers["retry-after"]) >= 1
    # The right one is not even looked at.
    assert guess(site, house.alice.email, PASSWORD, at=attacker).status == 429
    assert log_in(site, house.alice, at=home).status == 200


def test_guesses_at_many_accounts_from_one_address_are_stopped(site: Server) -> None:
    attacker = anywhere()
    told = [guess(site, nobody(), at=attacker).status for _ in range(52)]
    assert told[:49] == [401] * 49
    assert told[-1] == 429


def test_the_many_addresses_of_one_ipv6_network_are_one(site: Server) -> None:
    """A provider gives every customer 2^64 of them."""
    network = ":".join(anywhere().split(":")[:4])
    told = [
        guess(site, nobody(), at=f"{network}:{n:x}:{n + 1:x}:{n + 2:x}:{n + 3:x}").status
        for n in range(1, 61)
    ]
    assert told[-1] == 429


def test_an_attack_from_sixty_addresses_shuts_the_account_for_a_minute_at_most(
    site: Server, house: House
) -> None:
    home = anywhere()
    assert log_in(site, house.alice, at=home).status == 200
    for attacker in [anywhere() for _ in range(60)]:
        for _ in range(3):
            last = guess(site, house.alice.email, at=attacker)
    assert last.status == 429
    elsewhere = log_in(site, house.alice)
    assert elsewhere.status == 429
    assert 1 <= int(elsewhere.headers["retry-after"]) <= 60
    assert log_in(site, house.alice, at=home).status == 200


def test_guesses_at_once_are_hardly_more_than_one_after_the_other(
    site: Server, house: House
) -> None:
    """Each is checked before the others have been counted."""
    attacker = anywhere()
    with ThreadPoolExecutor(40) as pool:
        told = list(
            pool.map(lambda _: guess(site, house.alice.email, at=attacker).status, range(120))
        )
    assert told.count(401) <= 50, told.count(401)
    # On a slow machine the wait may be over by now, or soon: a wrong guess begins a longer one.
    while guess(site, house.alice.email, at=attacker).status != 401:
        time.sleep(0.2)
    assert guess(site, house.alice.email, PASSWORD, at=attacker).status == 429


def test_an_own_account_does_not_clear_the_way_to_others(site: Server, house: House) -> None:
    """Log in as oneself between the guesses: the address stays what it was."""
    attacker = anywhere()
    for _ in range(3):
        for _ in range(17):
            guess(site, nobody(), at=attacker)
        log_in(site, house.mallory, at=attacker)
    assert guess(site, nobody(), at=attacker).status == 429


def test_a_password_is_not_guessed_by_way_of_another_door(site: Server, house: House) -> None:
    """Step-up, change and enrolment ask for it too; one count is kept for all."""
    attacker = anywhere()
    given = session(site, house.alice)
    by = f"Bearer {given['access']}"
    doors = [
        ("auth/step-up/", {"password": WRONG}),
        ("auth/password/", {"current": WRONG, "new": "Another-horse-8"}),
        ("auth/mfa/totp/", {"password": WRONG}),
        ("auth/signup/", {"email": house.alice.email, "password": WRONG}),
    ]
    told = []
    for number in range(12):
        path, body = doors[number % len(doors)]
        body = {**body, "tenant": f"t{uuid4().hex[:12]}"}
        told.append(call(site, "POST", path, body, credential=by, at=attacker).status)
    assert told[-4:] == [429] * 4, told
    assert guess(site, house.alice.email, PASSWORD, at=attacker).status == 429


@pytest.mark.parametrize("end", ["logout", "session", "sessions"])
def test_after_the_end_old_tokens_are_dead_at_once(site: Server, house: House, end: str) -> None:
    given = session(site, house.alice)
    by = f"Bearer {given['access']}"
    [one] = call(site, "GET", "auth/sessions/", credential=by).json()["results"]
    method, path = {
        "logout": ("POST", "auth/logout/"),
        "session": ("DELETE", f"auth/sessions/{one['id']}/"),
        "sessions": ("DELETE", "auth/sessions/"),
    }[end]
    assert call(site, method, path, credential=by).status in (200, 204)
    for later in ("accounts/", "auth/me/", "auth/sessions/"):
        assert call(site, "GET", later, credential=by).told == (401, "session_ended")
    assert call(site, "POST", "auth/refresh/", {"refresh": given["refresh"]}).status == 401


def test_after_a_new_password_every_other_session_is_dead(site: Server, house: House) -> None:
    mine, thiefs = session(site, house.alice), session(site, house.alice)
    body = {"current": PASSWORD, "new": "Another-horse-8"}
    by = f"Bearer {mine['access']}"
    assert call(site, "POST", "auth/password/", body, credential=by).status == 204
    stolen = f"Bearer {thiefs['access']}"
    assert call(site, "GET", "accounts/", credential=stolen).told == (401, "session_ended")
    assert call(site, "POST", "auth/refresh/", {"refresh": thiefs["refresh"]}).status == 401
    assert log_in(site, house.alice).status == 401
    assert call(site, "GET", "accounts/", credential=by).status == 200


def test_a_staff_session_fixed_by_somebody_else_is_left_behind(site: Server) -> None:
    email = f"staff{uuid4().hex[:10]}@bulkhead.example"
    users.ensure(email=email, password=PASSWORD, now=now(), is_staff=True)
    browser = Browser(site)
    browser.cookies["sessionid"] = fixed = "f" * 32
    assert browser.post("/admin/login/", email=email, password=PASSWORD).status == 302
    after_password = browser.cookies["sessionid"]
    assert after_password != fixed
    browser.add_second_factor()
    assert browser.cookies["sessionid"] not in (fixed, after_password)
    assert browser.get("/admin/").status == 200
    for old in (fixed, after_password):
        thief = Browser(site)
        thief.cookies["sessionid"] = old
        assert thief.get("/admin/").status == 302


def test_the_staffs_door_counts_guesses_too(site: Server) -> None:
    email = f"staff{uuid4().hex[:10]}@bulkhead.example"
    users.ensure(email=email, password=PASSWORD, now=now(), is_staff=True)
    browser = Browser(site)
    for _ in range(7):
        page = browser.post("/admin/login/", email=email, password=WRONG).text
    assert attempts.TooManyAttempts.title in page
    assert browser.post("/admin/login/", email=email, password=PASSWORD).status == 200


def test_a_form_from_elsewhere_is_refused(site: Server) -> None:
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    for pairs in ((kind,), (kind, ("Cookie", f"csrftoken={'a' * 32}"))):
        body = f"csrfmiddlewaretoken={'a' * 32}&email=x%40x.example&password=x".encode()
        origin = ("Origin", "https://evil.example")
        answer = send(site, "POST", "/admin/login/", *pairs, origin, body=body)
        assert answer.status == 403
