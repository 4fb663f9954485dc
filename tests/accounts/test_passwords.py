"""Changing a password, and getting a new one by mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client

from accounts.access.roles import Role
from accounts.members import actions as access
from accounts.mfa.models import Authenticator
from accounts.passwords import tasks
from accounts.trail.models import PlatformEvent
from accounts.users.models import User
from config.celery import application
from tests import web
from tests.accounts import doors
from tests.accounts.doors import call, stepped_up
from tests.accounts.test_mfa import Visitor
from tests.cast import PASSWORD, Person, anywhere, build_person, build_tenant, now
from tests.web import serve

NEW = "Another-horse-8"
RESET = "/api/v1/auth/password/reset/"


@pytest.fixture
def alice() -> Visitor:
    visitor = Visitor(build_person(build_tenant(), "alice"))
    assert visitor.log_in().status_code == 200
    return visitor


@pytest.fixture
def worker() -> Iterator[None]:
    """Tasks run where they are sent from."""
    application.conf.task_always_eager = True
    yield
    application.conf.task_always_eager = False


def post(path: str, body: Any, address: str | None = None) -> Any:
    client = Client(raise_request_exception=False, REMOTE_ADDR=address or anywhere())
    return client.post(path, body, content_type="application/json")


def mailed(visitor: Visitor) -> dict[str, str]:
    """What the newest mail to somebody says, and nobody else's."""
    message = next(m for m in reversed(mail.outbox) if m.to == [visitor.person.email])
    found = re.findall(r"^(user|token): +(\S+)$", str(message.body), re.M)
    return dict(found)


def status_of(token: str) -> tuple[int, str]:
    answer = Client().get("/api/v1/auth/me/", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json().get("code", "")


def issued_key(person: Person) -> str:
    made = doors.post("api-keys/", {"name": "x", "scope": "read"}, credential=stepped_up(person))
    return f"Api-Key {made.json()['key']}"


def logs_in_with(visitor: Visitor, password: str) -> int:
    body = {"email": visitor.person.email, "password": password}
    return int(post("/api/v1/auth/login/", body).status_code)


def test_a_changed_password_ends_all_other_sessions_at_once_everywhere(alice: Visitor) -> None:
    other = build_tenant("enterprise")
    user = User.objects.get(pk=alice.person.user_id)
    access.ensure_member(tenant=other, user=user, role=Role.TRADER, by="system:test", now=now())
    here, there = Visitor(alice.person), Visitor(alice.person)
    here.log_in()
    there.log_in(tenant=other.slug)
    answer = alice.send("post", "password/", {"current": PASSWORD, "new": NEW})
    assert answer.status_code == 204
    assert status_of(here.token) == status_of(there.token) == (401, "session_ended")
    assert status_of(alice.token)[0] == 200
    assert (logs_in_with(alice, PASSWORD), logs_in_with(alice, NEW)) == (401, 200)


def test_a_changed_password_leaves_the_persons_keys_good(alice: Visitor) -> None:
    key = issued_key(alice.person)
    answer = alice.send("post", "password/", {"current": PASSWORD, "new": NEW})
    assert answer.status_code == 204
    assert call("GET", "orders/", credential=key).status_code == 200


def test_changing_takes_the_current_password_and_guesses_are_counted(alice: Visitor) -> None:
    guess = {"current": "Wrong-horse-7", "new": NEW}
    thief = Visitor(alice.person, token=alice.token)
    guesses = [thief.send("post", "password/", guess) for _ in range(8)]
    assert [g.status_code for g in guesses[:5]] == [401] * 5
    # The first wait is a second, which a busy machine may let pass; the next ones are longer.
    assert 429 in {g.status_code for g in guesses[5:]}
    assert guesses[0].json()["code"] == "wrong_password"
    assert alice.log_in().status_code == 200


@pytest.mark.parametrize(
    ("new", "codes"),
    [
        ("Ab1", {"password_length"}),
        ("alllowercase1", {"password_kinds"}),
        ("Password1", {"password_too_common"}),
        ("password", {"password_kinds", "password_too_common"}),
    ],
)
def test_a_new_password_keeps_the_rules(alice: Visitor, new: str, codes: set[str]) -> None:
    answer = alice.send("post", "password/", {"current": PASSWORD, "new": new})
    assert (answer.status_code, answer.json()["code"]) == (400, "unfit_password")
    errors = answer.json()["errors"]
    assert {e["field"] for e in errors} == {"new"}
    assert {e["code"] for e in errors} == codes
    assert all(e["message"] for e in errors)


def test_a_changed_password_is_nobodys_without_a_token() -> None:
    answer = post("/api/v1/auth/password/", {"current": PASSWORD, "new": NEW})
    assert answer.status_code == 401


@pytest.mark.usefixtures("worker")
def test_the_answer_does_not_tell_who_is_known(alice: Visitor) -> None:
    known = post(RESET, {"email": alice.person.email.upper()})
    unknown = post(RESET, {"email": f"{uuid4().hex}@x.example"})
    assert known.status_code == unknown.status_code == 202
    assert known.json() == unknown.json()
    assert {m.to[0] for m in mail.outbox} == {alice.person.email}


def test_known_and_unknown_are_the_same_work(
    alice: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is one message to a worker; only the worker knows the difference."""
    sent: list[str] = []
    monkeypatch.setattr(tasks.mail_reset, "delay", sent.append)
    for email in (alice.person.email, f"{uuid4().hex}@x.example"):
        assert post(RESET, {"email": email}).status_code == 202
    assert sent == [str(alice.person.user_id), ""]
    assert not mail.outbox


@pytest.mark.usefixtures("worker")
def test_the_mails_token_sets_a_password_once_and_ends_all_sessions(alice: Visitor) -> None:
    post(RESET, {"email": alice.person.email})
    link = mailed(alice)
    assert f"#user={link['user']}&token={link['token']}" in mail.outbox[-1].body
    unfit = post(f"{RESET}confirm/", {**link, "new": "short"})
    assert (unfit.status_code, unfit.json()["code"]) == (400, "unfit_password")
    assert post(f"{RESET}confirm/", {**link, "new": NEW}).status_code == 204
    assert status_of(alice.token) == (401, "session_ended")
    assert (logs_in_with(alice, PASSWORD), logs_in_with(alice, NEW)) == (401, 200)
    again = post(f"{RESET}confirm/", {**link, "new": "Third-horse-9"})
    assert (again.status_code, again.json()["code"]) == (400, "bad_reset_token")


@pytest.mark.usefixtures("worker")
def test_a_reset_revokes_the_persons_keys_everywhere_and_says_so(alice: Visitor) -> None:
    other = build_tenant()
    user = User.objects.get(pk=alice.person.user_id)
    access.ensure_member(tenant=other, user=user, role=Role.TRADER, by="system:test", now=now())
    there = replace(alice.person, tenant=other)
    bob = build_person(other, "bob")
    keys = [issued_key(person) for person in (alice.person, there, bob)]
    post(RESET, {"email": alice.person.email})
    assert "API keys are revoked" in mail.outbox[-1].body
    assert post(f"{RESET}confirm/", {**mailed(alice), "new": NEW}).status_code == 204
    told = [call("GET", "orders/", credential=key).status_code for key in keys]
    assert told == [401, 401, 200]
    revoked = PlatformEvent.objects.filter(action="api_key.revoked", actor=f"user:{user.pk}")
    # The platform's staff sees which keys, and nothing of what the tenant's people made of them.
    assert set(revoked.values_list("before", "after")) == {(None, None)}
    assert revoked.count() == 2


@pytest.mark.usefixtures("worker")
def test_a_token_is_no_good_for_another_person_nor_for_nobody(alice: Visitor) -> None:
    bob = build_person(alice.person.tenant, "bob")
    post(RESET, {"email": alice.person.email})
    token = mailed(alice)["token"]
    for user in (str(bob.user_id), str(uuid4())):
        answer = post(f"{RESET}confirm/", {"user": user, "token": token, "new": NEW})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_reset_token")


@pytest.mark.usefixtures("worker")
def test_after_a_reset_log_in_still_asks_for_the_second_factor(alice: Visitor) -> None:
    Authenticator.objects.create(
        user_id=alice.person.user_id, sealed_secret=b"", created_at=now(), confirmed_at=now()
    )
    post(RESET, {"email": alice.person.email})
    post(f"{RESET}confirm/", {**mailed(alice), "new": NEW})
    body = {"email": alice.person.email, "password": NEW}
    assert post("/api/v1/auth/login/", body).json()["code"] == "second_factor_needed"


@pytest.mark.usefixtures("worker")
def test_after_a_reset_she_gets_in_from_there_whoever_else_is_guessing(alice: Visitor) -> None:
    for _ in range(10):
        assert logs_in_with(alice, "Wrong-horse-7") == 401
    post(RESET, {"email": alice.person.email})
    hotel = Visitor(alice.person)
    confirmed = hotel.send("post", "password/reset/confirm/", {**mailed(alice), "new": NEW})
    assert (confirmed.status_code, logs_in_with(alice, NEW)) == (204, 429)
    assert hotel.log_in(password=NEW).status_code == 200


@pytest.mark.usefixtures("worker")
def test_a_mailbox_is_not_flooded_and_the_answer_stays_the_same(alice: Visitor) -> None:
    answers = [post(RESET, {"email": alice.person.email}) for _ in range(5)]
    assert {a.status_code for a in answers} == {202}
    assert len([m for m in mail.outbox if m.to == [alice.person.email]]) == 3


@pytest.mark.usefixtures("worker")
def test_an_address_that_asks_for_everybody_has_to_wait() -> None:
    address = anywhere()
    answers = [post(RESET, {"email": f"{uuid4().hex}@x.example"}, address) for _ in range(31)]
    assert [a.status_code for a in answers] == [202] * 30 + [429]
    assert int(answers[-1]["Retry-After"]) > 0


def test_a_web_process_sends_its_mails_to_our_broker() -> None:
    """Where nobody named the application, tasks would go to one that is not there."""
    body = {"email": f"{uuid4().hex}@x.example"}
    with serve(TRUSTED_PROXIES="1") as server:
        from_anywhere = {"X-Forwarded-For": anywhere()}
        answer = web.ask("POST", f"{server.url}{RESET}", json=body, headers=from_anywhere)
    assert answer.status_code == 202


@pytest.mark.usefixtures("worker")
def test_the_platforms_trail_tells_of_a_new_password_and_not_which(alice: Visitor) -> None:
    alice.send("post", "password/", {"current": PASSWORD, "new": NEW})
    post(RESET, {"email": alice.person.email})
    post(f"{RESET}confirm/", {**mailed(alice), "new": "Third-horse-9"})
    events = PlatformEvent.objects.filter(key=str(alice.person.user_id), kind="user")
    told = list(events.order_by("at", "id").values_list("action", "after"))
    assert told == [("password.changed", None), ("password.reset", None)]
