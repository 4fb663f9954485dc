"""An email is its account's once a token that was mailed to it has come back, and not before."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail, signing
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accounts.access.models import Invitation, Membership
from accounts.emails import actions as emails
from accounts.emails import confirmations, tasks
from accounts.members import offers
from accounts.members import tasks as members_tasks
from accounts.mfa import totp
from accounts.mfa.models import Authenticator, RecoveryCode
from accounts.passwords import mails as passwords_mails
from accounts.tokens.models import ApiKey
from accounts.trail.models import PlatformEvent
from accounts.users.models import User
from config.celery import application
from tests.accounts.doors import call, post
from tests.accounts.test_invitations import accept, invited
from tests.accounts.test_members import told
from tests.accounts.test_passwords import RESET
from tests.accounts.test_signup import sign_up, slug
from tests.cast import PASSWORD, House, now
from tests.tenants.lifecycle.test_commands import run

STRANGERS = "Strangers-horse-7"
HERS = "Her-own-horse-7"


@pytest.fixture
def worker() -> Iterator[None]:
    """Tasks run where they are sent from."""
    application.conf.task_always_eager = True
    yield
    application.conf.task_always_eager = False


@pytest.fixture
def email() -> str:
    return f"ceo{uuid4().hex[:10]}@bigcorp.example"


def taken(email: str) -> dict[str, Any]:
    """What a stranger gets who signs up with somebody else's email."""
    answer = sign_up(email=email, password=STRANGERS)
    assert answer.status_code == 201, answer.json()
    given: dict[str, Any] = answer.json()
    return given


def bearer(given: dict[str, Any]) -> str:
    return f"Bearer {given['access']}"


def with_second_factor(given: dict[str, Any]) -> tuple[str, list[str]]:
    """The access token of who has added one to the account, and the recovery codes."""
    made = post("auth/mfa/totp/", {"password": STRANGERS}, credential=bearer(given))
    secret = base64.b32decode(made.json()["secret"])
    code = totp.code_at(secret, totp.step_at(now()))
    confirmed = post("auth/mfa/totp/confirm/", {"otp": code}, credential=bearer(given))
    assert confirmed.status_code == 200, confirmed.json()
    return f"Bearer {confirmed.json()['access']}", confirmed.json()["recovery_codes"]


def mailed(to: str) -> str:
    return next(str(m.body) for m in reversed(mail.outbox) if m.to == [to])


def token_in(body: str) -> str:
    found = re.search(r"token:? +(\S+)$", body, re.M)
    assert found, body
    return found[1]


def reset(email: str, new: str = HERS) -> int:
    """What only the mailbox can do."""
    assert post("auth/password/reset/", {"email": email}).status_code == 202
    body = mailed(email)
    found = dict(re.findall(r"^(user|token): +(\S+)$", body, re.M))
    client = Client(raise_request_exception=False)
    answer = client.post(f"{RESET}confirm/", {**found, "new": new}, content_type="application/json")
    return int(answer.status_code)


def log_in(email: str, password: str, **more: str) -> Any:
    return post("auth/login/", {"email": email, "password": password, **more})


def is_proven(email: str) -> bool:
    return User.objects.get(email=email).is_email_proven


def create_tenant(email: str) -> tuple[str, dict[str, Any]]:
    name = slug()
    made = run("create_tenant", name, "--tier", "enterprise", "--owner", email, "--json")
    return name, json.loads(made)


def test_a_tenant_is_not_handed_to_whoever_signed_up_with_its_owners_email(email: str) -> None:
    stranger = taken(email)
    name, said = create_tenant(email.upper())
    assert (said["invited"], said["password_if_new"]) == (True, None)
    assert told(log_in(email, STRANGERS, tenant=name)) == (401, "wrong_login")
    switched = post("auth/switch/", {"tenant": name}, credential=bearer(stranger))
    assert told(switched) == (403, "no_tenant")
    assert not Membership.objects.filter(tenant__slug=name).exists()


@pytest.mark.usefixtures("worker")
def test_the_one_whose_email_it_is_gets_the_tenant_by_mail(email: str) -> None:
    taken(email)
    name, _ = create_tenant(email)
    invitation = Invitation.objects.get(tenant__slug=name)
    assert (invitation.invited_by_id, invitation.role) == (None, "owner")
    members_tasks.mail_invitation(str(invitation.id))
    body = mailed(email)
    assert "You are invited" in body
    token = token_in(body)
    mine = {"token": token, "password": HERS}
    assert told(post("auth/invitations/accept/", mine)) == (401, "wrong_login")
    assert reset(email) == 204
    accepted = post("auth/invitations/accept/", mine)
    assert (accepted.status_code, accepted.json()["role"]) == (200, "owner")
    assert log_in(email, HERS, tenant=name).json()["role"] == "owner"
    assert told(log_in(email, STRANGERS, tenant=name)) == (401, "wrong_login")
    listed = call("GET", "invitations/", credential=bearer(log_in(email, HERS, tenant=name).json()))
    assert [row["invited_by"] for row in listed.json()["results"]] == [None]


def test_somebody_new_and_somebody_proven_own_their_tenant_at_once(email: str) -> None:
    first, said = create_tenant(email)
    assert said["invited"] is False
    second, again = create_tenant(email)
    assert again["invited"] is False
    for name in (first, second):
        assert log_in(email, said["password_if_new"], tenant=name).json()["role"] == "owner"


def test_nobody_who_signed_up_is_made_staff(email: str, tmp_path: Path) -> None:
    taken(email)
    file = tmp_path / "password"
    file.write_text(f"{STRANGERS}\n")
    with pytest.raises(CommandError, match="email_unproven"):
        call_command("create_staff", email, "--password-file", str(file))
    assert not User.objects.get(email=email).is_staff


@pytest.mark.usefixtures("worker")
def test_the_first_reset_ends_all_that_a_stranger_has_set(email: str) -> None:
    stranger = taken(email)
    credential, codes = with_second_factor(stranger)
    stepped = post("auth/step-up/", {"otp": codes[0]}, credential=credential)
    key = post(
        "api-keys/",
        {"name": "x", "scope": "trade"},
        credential=f"Bearer {stepped.json()['access']}",
    ).json()["key"]
    assert reset(email) == 204
    assert is_proven(email)
    answer = log_in(email, HERS)
    assert answer.status_code == 200, answer.json()
    user_id = answer.json()["user"]["id"]
    assert answer.json()["user"]["is_email_proven"] is True
    assert not Authenticator.objects.filter(user_id=user_id).exists()
    assert not RecoveryCode.objects.filter(user_id=user_id).exists()
    assert not ApiKey.objects.filter(user_id=user_id, revoked_at=None).exists()
    for old in (credential, f"Api-Key {key}"):
        assert call("GET", "accounts/", credential=old).status_code == 401
    refreshed = post("auth/refresh/", {"refresh": stranger["refresh"]})
    assert told(refreshed) == (401, "invalid_credential")
    assert told(log_in(email, STRANGERS)) == (401, "wrong_login")


@pytest.mark.usefixtures("worker")
def test_an_authenticator_that_waits_for_its_first_code_goes_too(email: str) -> None:
    stranger = taken(email)
    post("auth/mfa/totp/", {"password": STRANGERS}, credential=bearer(stranger))
    assert reset(email) == 204
    assert not Authenticator.objects.filter(user__email=email).exists()


@pytest.mark.usefixtures("worker")
def test_only_the_first_proof_takes_a_second_factor_away(email: str) -> None:
    taken(email)
    assert reset(email, STRANGERS) == 204
    with_second_factor(log_in(email, STRANGERS).json())
    assert reset(email) == 204
    assert told(log_in(email, HERS)) == (401, "second_factor_needed")


@pytest.mark.usefixtures("worker")
def test_the_reset_mail_says_what_goes_with_it(email: str) -> None:
    stranger = taken(email)
    with_second_factor(stranger)
    passwords_mails.send_reset(stranger["user"]["id"])
    assert "a second factor that anybody added to it is removed" in mailed(email)
    assert reset(email) == 204
    passwords_mails.send_reset(stranger["user"]["id"])
    assert "second factor" not in mailed(email)


@pytest.mark.usefixtures("worker")
def test_who_signed_up_confirms_by_the_mails_link_and_keeps_everything(
    email: str, settings: Settings
) -> None:
    given = taken(email)
    credential, _ = with_second_factor(given)
    assert given["user"]["is_email_proven"] is False
    body = mailed(email)
    token = token_in(body)
    assert f"{settings.EMAIL_CONFIRMATION_URL}#token=" in body
    for _ in range(2):
        answer = post("auth/email/confirm/", {"token": token}, credential=credential)
        assert answer.status_code == 204
    assert is_proven(email)
    assert Authenticator.objects.filter(user__email=email).exists()
    assert call("GET", "auth/me/", credential=credential).json()["user"]["is_email_proven"]
    (event,) = PlatformEvent.objects.filter(action="email.proven", key=given["user"]["id"])
    assert event.after == {"how": "confirmation"}


@pytest.mark.usefixtures("worker")
def test_a_mailbox_alone_confirms_nothing(email: str, house: House) -> None:
    """Else whoever clicks on everything confirms what a stranger has made of their address."""
    taken(email)
    token = token_in(mailed(email))
    assert post("auth/email/confirm/", {"token": token}).status_code == 401
    hers = {"email": house.alice.email, "password": PASSWORD}
    somebody = bearer(post("auth/login/", hers).json())
    refused = post("auth/email/confirm/", {"token": token}, credential=somebody)
    assert told(refused) == (400, "bad_confirmation")
    assert not is_proven(email)


@pytest.mark.parametrize("how", ["changed", "other salt", "old", "another email", "no list"])
def test_a_tampered_link_confirms_nothing(email: str, settings: Settings, how: str) -> None:
    given = taken(email)
    user = User.objects.get(email=email)
    token = confirmations.token_of(user)
    forged = {
        "changed": f"x{token[1:]}",
        "other salt": signing.dumps([str(user.pk), email], salt="another"),
        "old": token,
        "another email": signing.dumps([str(user.pk), "a@b.example"], salt=confirmations.SALT),
        "no list": signing.dumps(str(user.pk), salt=confirmations.SALT),
    }[how]
    settings.EMAIL_CONFIRMATION_SECONDS = -1 if how == "old" else 60
    refused = post("auth/email/confirm/", {"token": forged}, credential=bearer(given))
    assert told(refused) == (400, "bad_confirmation")
    assert not is_proven(email)


def test_the_link_is_mailed_again_and_not_without_end(
    email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = taken(email)
    sent: list[str] = []
    monkeypatch.setattr(tasks.mail_confirmation, "delay", sent.append)
    answers = [post("auth/email/", None, credential=bearer(given)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert sent == [given["user"]["id"]]
    assert post("auth/email/", None).status_code == 401


@pytest.mark.usefixtures("worker")
def test_nobody_who_is_known_is_asked_who_they_are(house: House) -> None:
    assert sign_up(email=house.alice.email).status_code == 201
    tasks.mail_confirmation(str(house.alice.user_id))
    assert [m for m in mail.outbox if m.to == [house.alice.email]] == []


def test_an_invitation_proves_the_email_of_somebody_new(house: House, email: str) -> None:
    assert accept(invited(house.olga, email)).status_code == 200
    assert is_proven(email)


def test_an_invitation_accepted_with_the_accounts_password_proves_it_and_ends_nothing(
    house: House, email: str
) -> None:
    """The mail's token and the account's secret come from one hand."""
    given = taken(email)
    credential, _ = with_second_factor(given)
    assert not is_proven(email)
    assert accept(invited(house.olga, email), STRANGERS).status_code == 200
    assert is_proven(email)
    assert call("GET", "auth/me/", credential=credential).status_code == 200
    assert Authenticator.objects.filter(user__email=email).exists()


def test_a_refused_acceptance_proves_nothing(house: House, email: str) -> None:
    taken(email)
    invitation = invited(house.olga, email)
    assert told(accept(invitation, "Wrong-horse-7")) == (401, "wrong_login")
    assert told(accept(invitation, "")) == (401, "proof_needed")
    assert not is_proven(email)


def test_no_mail_is_sent_in_the_name_of_an_email_that_nobody_has_proven(email: str) -> None:
    given = taken(email)
    to = f"{slug()}@new.example"
    body = {"email": to, "role": "trader"}
    made = post("invitations/", body, credential=bearer(given))
    assert made.status_code == 201
    members_tasks.mail_invitation(made.json()["id"])
    assert email not in mailed(to)
    emails.prove(user_id=given["user"]["id"], how="confirmation", now=now())
    members_tasks.mail_invitation(made.json()["id"])
    assert f"{email} invites you" in mailed(to)


def test_an_operators_invitation_stands_whoever_is_in_the_tenant(email: str) -> None:
    taken(email)
    name, _ = create_tenant(email)
    invitation = Invitation.objects.get(tenant__slug=name)
    assert accept_as(invitation, STRANGERS).status_code == 200
    assert told(accept_as(invitation, STRANGERS)) == (409, "invitation_accepted")


def accept_as(invitation: Invitation, password: str) -> Any:
    body = {"token": offers.token_of(invitation), "password": password}
    return post("auth/invitations/accept/", body)
