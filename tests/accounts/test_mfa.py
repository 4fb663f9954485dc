"""Second factors: enrolled, confirmed, asked for, used once."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.access.models import TenantPolicy
from accounts.mfa import actions, signed_in, totp
from accounts.mfa.errors import AlreadyEnrolled, SecondFactorNeeded, WrongSecondFactor
from accounts.mfa.models import Authenticator, RecoveryCode
from accounts.sessions.models import Session
from accounts.tokens import credentials
from accounts.trail.models import PlatformEvent
from tenants.errors import TenantAlreadyEntered
from tests.cast import PASSWORD, Person, anywhere, build_person, build_tenant, job, now


@dataclass
class Visitor:
    """Somebody at a browser: an address of their own, and the token of a real session."""

    person: Person
    address: str = field(default_factory=anywhere)
    token: str = ""
    secret: bytes = b""
    recovery_codes: list[str] = field(default_factory=list)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        client = Client(raise_request_exception=False, REMOTE_ADDR=self.address)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        send = getattr(client, method)
        return send(f"/api/v1/auth/{path}", body, content_type="application/json", headers=headers)

    def log_in(self, **extra: str) -> Any:
        self.token = ""
        answer = self.send(
            "post", "login/", {"email": self.person.email, "password": PASSWORD, **extra}
        )
        self.token = answer.json().get("access", "")
        return answer

    def enrol(self) -> Any:
        answer = self.send("post", "mfa/totp/", {"password": PASSWORD})
        if answer.status_code == 201:
            self.secret = base64.b32decode(answer.json()["secret"])
        return answer

    def confirm(self) -> Any:
        answer = self.send("post", "mfa/totp/confirm/", {"otp": self.code()})
        self.token = answer.json()["access"]
        self.recovery_codes = answer.json()["recovery_codes"]
        return answer

    def code(self, *, steps: int = 0, at: datetime | None = None) -> str:
        return totp.code_at(self.secret, totp.step_at(at or now()) + steps)


@pytest.fixture
def alice() -> Visitor:
    visitor = Visitor(build_person(build_tenant(), "alice"))
    assert visitor.log_in().status_code == 200
    return visitor


@pytest.fixture
def protected(alice: Visitor) -> Visitor:
    assert alice.enrol().status_code == 201
    assert alice.confirm().status_code == 200
    return alice


def both_at_once(work: Callable[[], bool]) -> list[bool]:
    def alone(_: int) -> bool:
        try:
            return work()
        except WrongSecondFactor:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(alone, range(2)))


def wrong(visitor: Visitor) -> str:
    """Six digits that are nobody's code around now."""
    near = {visitor.code(steps=steps) for steps in range(-3, 4)}
    return next(code for code in ("000000", "000001", "000002") if code not in near)


def test_a_factor_counts_only_once_confirmed(alice: Visitor) -> None:
    first = alice.enrol().json()
    second = alice.enrol().json()
    assert first["secret"] != second["secret"]
    assert second["uri"].startswith("otpauth://totp/Bulkhead:")
    assert alice.log_in().status_code == 200
    assert not credentials.identify(alice.token).has_second_factor


def test_enrolling_takes_the_password(alice: Visitor) -> None:
    answer = alice.send("post", "mfa/totp/", {"password": "Wrong-horse-7"})
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_password")


def test_confirming_gives_a_token_that_says_so_and_ten_codes(alice: Visitor) -> None:
    before = credentials.identify(alice.token)
    alice.enrol()
    assert len(alice.confirm().json()["recovery_codes"]) == 10
    after = credentials.identify(alice.token)
    assert (after.session_id, after.has_second_factor) == (before.session_id, True)
    assert Session.objects.get(pk=after.session_id).has_second_factor
    assert alice.send("get", "mfa/recovery-codes/").json() == {"left": 10}


def test_secrets_and_codes_are_not_stored_as_they_are(protected: Visitor) -> None:
    stored = Authenticator.objects.get(user_id=protected.person.user_id)
    assert protected.secret not in bytes(stored.sealed_secret)
    shown = protected.recovery_codes[0].replace("-", "").encode()
    codes = RecoveryCode.objects.filter(user_id=protected.person.user_id)
    assert not [code for code in codes if shown in bytes(code.digest)]


def test_a_confirmed_factor_is_not_replaced(protected: Visitor) -> None:
    answer = protected.enrol()
    assert (answer.status_code, answer.json()["code"]) == (409, "second_factor_exists")
    answer = protected.send("post", "mfa/totp/confirm/", {"otp": protected.code(steps=1)})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_confirm")


def test_log_in_asks_for_the_code_and_takes_it(protected: Visitor) -> None:
    asked = protected.log_in()
    assert (asked.status_code, asked.json()["code"]) == (401, "second_factor_needed")
    assert protected.log_in(otp=wrong(protected)).json()["code"] == "wrong_second_factor"
    assert protected.log_in(otp=protected.code(steps=1)).status_code == 200
    assert credentials.identify(protected.token).has_second_factor


def test_a_code_is_refused_when_shown_again_and_so_is_an_older_one(protected: Visitor) -> None:
    at = now() + timedelta(minutes=5)
    show = {"user_id": protected.person.user_id, "now": at}
    assert actions.check(otp=protected.code(at=at), **show)
    for spent in (protected.code(at=at), protected.code(steps=-1, at=at)):
        with pytest.raises(WrongSecondFactor):
            actions.check(otp=spent, **show)
    assert actions.check(otp=protected.code(steps=1, at=at), **show)


def test_the_code_that_confirmed_does_not_open_a_session_too(protected: Visitor) -> None:
    last = Authenticator.objects.get(user_id=protected.person.user_id).last_step
    spent = totp.code_at(protected.secret, last)
    assert protected.log_in(otp=spent).json()["code"] == "wrong_second_factor"


def test_of_two_who_show_the_same_code_at_once_one_is_let_in(protected: Visitor) -> None:
    at = now() + timedelta(minutes=5)
    code, user_id = protected.code(at=at), protected.person.user_id
    for secret in (code, protected.recovery_codes[0]):
        let_in = both_at_once(lambda s=secret: actions.check(user_id=user_id, otp=s, now=at))
        assert let_in == [False, True]


def test_of_two_who_enrol_at_once_one_secret_stands(alice: Visitor) -> None:
    who = {"user_id": alice.person.user_id, "email": alice.person.email}
    enrolled = both_at_once(lambda: bool(actions.enrol(**who, now=now()).secret))
    assert enrolled == [True, True]
    assert Authenticator.objects.filter(user_id=alice.person.user_id).count() == 1


def test_a_recovery_code_stands_in_once_however_it_is_typed(protected: Visitor) -> None:
    code = protected.recovery_codes[0]
    assert protected.log_in(otp=f" {code.upper().replace('-', ' ')}").status_code == 200
    assert protected.send("get", "mfa/recovery-codes/").json() == {"left": 9}
    assert protected.log_in(otp=code).json()["code"] == "wrong_second_factor"


def test_new_recovery_codes_take_a_code_and_end_the_old_ones(protected: Visitor) -> None:
    bare = protected.send("post", "mfa/recovery-codes/", {})
    assert (bare.status_code, bare.json()["code"]) == (401, "second_factor_needed")
    old = protected.recovery_codes
    fresh = protected.send("post", "mfa/recovery-codes/", {"otp": old[0]}).json()["recovery_codes"]
    assert not set(old) & set(fresh)
    assert protected.log_in(otp=old[1]).status_code == 401
    assert protected.log_in(otp=fresh[1]).status_code == 200


def test_removing_takes_a_code_and_log_in_asks_no_more(protected: Visitor) -> None:
    assert protected.send("delete", "mfa/totp/", {"otp": wrong(protected)}).status_code == 401
    spare = protected.recovery_codes[0]
    assert protected.send("delete", "mfa/totp/", {"otp": spare}).status_code == 204
    assert not RecoveryCode.objects.filter(user_id=protected.person.user_id).exists()
    assert not Session.objects.filter(
        user_id=protected.person.user_id, has_second_factor=True
    ).exists()
    assert protected.log_in().status_code == 200
    again = protected.send("delete", "mfa/totp/", {"otp": spare})
    assert (again.status_code, again.json()["code"]) == (409, "no_second_factor")


def test_a_tenant_that_asks_for_it_does_not_let_it_go(protected: Visitor) -> None:
    TenantPolicy.objects.create(tenant=protected.person.tenant, requires_second_factor=True)
    answer = protected.send("delete", "mfa/totp/", {"otp": protected.recovery_codes[0]})
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    assert protected.send("get", "mfa/recovery-codes/").json() == {"left": 10}


def test_wrong_codes_are_counted_and_the_owner_elsewhere_is_not_shut_out(
    protected: Visitor,
) -> None:
    thief = Visitor(protected.person, token=protected.token)
    guesses = [thief.send("delete", "mfa/totp/", {"otp": wrong(protected)}) for _ in range(8)]
    assert [g.status_code for g in guesses[:5]] == [401] * 5
    # The first wait is a second, which a busy machine may let pass; the next ones are longer.
    refused = [g for g in guesses[5:] if g.status_code == 429]
    assert int(refused[0]["Retry-After"]) >= 1
    assert protected.log_in(otp=protected.code(steps=1)).status_code == 200


def test_a_right_code_buys_no_further_guesses_at_the_password(protected: Visitor) -> None:
    guess = {"current": "Wrong-horse-7", "new": "Another-horse-8"}
    for _ in range(4):
        assert protected.send("post", "password/", guess).status_code == 401
    shown = {"otp": protected.recovery_codes[0]}
    assert protected.send("post", "mfa/recovery-codes/", shown).status_code == 201
    assert protected.send("post", "password/", guess).status_code == 401
    assert protected.send("post", "password/", guess).status_code == 429


def test_a_step_up_by_code_buys_no_further_guesses_at_the_password(protected: Visitor) -> None:
    guess = {"current": "Wrong-horse-7", "new": "Another-horse-8"}
    for _ in range(4):
        assert protected.send("post", "password/", guess).status_code == 401
    shown = {"otp": protected.recovery_codes[0]}
    assert protected.send("post", "step-up/", shown).status_code == 200
    assert protected.send("post", "password/", guess).status_code == 401
    assert protected.send("post", "password/", guess).status_code == 429


def test_a_secret_moved_to_another_person_does_not_open(protected: Visitor) -> None:
    mallory = build_person(protected.person.tenant, "mallory")
    stolen = Authenticator.objects.get(user_id=protected.person.user_id)
    Authenticator.objects.create(
        user_id=mallory.user_id,
        sealed_secret=stolen.sealed_secret,
        created_at=now(),
        confirmed_at=now(),
    )
    answer = Visitor(mallory).log_in(otp=protected.code(steps=1))
    assert (answer.status_code, answer.json()["code"]) == (500, "seal_broken")


def test_inside_a_tenant_nobody_is_told_that_there_is_no_factor(protected: Visitor) -> None:
    with job(protected.person.tenant), pytest.raises(TenantAlreadyEntered):
        actions.has_authenticator(protected.person.user_id)


def test_the_platforms_trail_tells_what_was_done_and_no_secret(protected: Visitor) -> None:
    spare = protected.recovery_codes
    protected.send("post", "mfa/recovery-codes/", {"otp": spare[0]})
    actions.remove(user_id=protected.person.user_id)
    events = PlatformEvent.objects.filter(key=str(protected.person.user_id), kind="user")
    done = list(events.order_by("at", "id").values_list("action", "actor"))
    by = f"user:{protected.person.user_id}"
    assert done == [
        ("second_factor.enrolled", by),
        ("second_factor.added", by),
        ("recovery_code.used", by),
        ("recovery_codes.renewed", by),
        ("second_factor.removed", by),
    ]


def test_a_used_recovery_code_is_on_record_with_how_many_are_left(protected: Visitor) -> None:
    for spare in protected.recovery_codes[:2]:
        assert protected.log_in(otp=spare).status_code == 200
    assert protected.log_in(otp=protected.recovery_codes[0]).status_code == 401
    used = PlatformEvent.objects.filter(action="recovery_code.used")
    mine = used.filter(key=str(protected.person.user_id)).order_by("at", "id")
    assert list(mine.values_list("after", flat=True)) == [{"left": 9}, {"left": 8}]


def test_a_step_up_by_code_stays_with_the_session(alice: Visitor) -> None:
    alice.enrol()
    elsewhere = Visitor(alice.person)
    elsewhere.log_in()
    alice.confirm()
    session = Session.objects.filter(pk=credentials.identify(elsewhere.token).session_id)
    assert not session.get().has_second_factor
    shown = {"otp": alice.recovery_codes[0]}
    assert elsewhere.send("post", "step-up/", shown).status_code == 200
    assert session.get().has_second_factor
    session.update(ended_at=now())
    shown = {"otp": alice.recovery_codes[1]}
    refused = elsewhere.send("post", "step-up/", shown)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_credential")


def test_an_empty_code_is_asked_for_rather_than_wrong(protected: Visitor) -> None:
    with pytest.raises(SecondFactorNeeded):
        actions.check(user_id=protected.person.user_id, otp="  ", now=now())


def test_a_factor_confirmed_meanwhile_stops_an_enrolment(protected: Visitor) -> None:
    caller = credentials.identify(protected.token)
    with pytest.raises(AlreadyEnrolled):
        signed_in.enrol(caller=caller, password=PASSWORD, address=protected.address, now=now())
    with pytest.raises(AlreadyEnrolled):
        actions.enrol(user_id=caller.user_id, email=protected.person.email, now=now())


def test_where_the_tenant_asks_for_one_adding_it_opens_the_rest(alice: Visitor) -> None:
    TenantPolicy.objects.create(tenant=alice.person.tenant, requires_second_factor=True)
    alice.log_in()
    assert credentials.identify(alice.token).must_enrol
    alice.enrol()
    alice.confirm()
    assert not credentials.identify(alice.token).must_enrol
