"""Invitations: sent by who reaches the role, good once and for a while, and for one address."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail, signing
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts.access.models import Invitation, Membership
from accounts.access.roles import Role
from accounts.audit.models import AuditEvent
from accounts.members import invitations, offers, tasks
from accounts.users.models import User
from tests.accounts.doors import call, post, signed_in, stepped_up
from tests.accounts.test_members import told
from tests.cast import PASSWORD, House, Person, anywhere, build_person, job, now

pytestmark = pytest.mark.by_turns


def newcomer() -> str:
    return f"n{uuid4().hex[:12]}@new.example"


def invited(by: Person, email: str, role: str = "trader") -> Invitation:
    body = {"email": email, "role": role}
    answer = by.post("invitations/", body, Authorization=stepped_up(by))
    assert answer.status_code == 201, answer.json()
    return Invitation.objects.get(pk=answer.json()["id"])


def accept(invitation: Invitation, password: str = PASSWORD, **how: str) -> Any:
    return accept_token(offers.token_of(invitation), password, **how)


def accept_token(token: str, password: str = PASSWORD, **how: str) -> Any:
    body = {"token": token, **({"password": password} if password else {})}
    return post("auth/invitations/accept/", body, **how)


def members(house: House, email: str) -> list[str]:
    rows = Membership.objects.filter(tenant=house.tenant, email=email)
    return list(rows.values_list("role", flat=True))


def test_somebody_new_joins_and_logs_in(house: House) -> None:
    email = newcomer()
    answer = accept(invited(house.olga, email.upper(), "admin"))
    assert answer.status_code == 200, answer.json()
    assert answer.json()["role"] == "admin"
    assert answer.json()["tenant"]["slug"] == house.tenant.slug
    assert members(house, email) == ["admin"]
    login = post("auth/login/", {"email": email, "password": PASSWORD})
    assert (login.status_code, login.json()["role"]) == (200, "admin")
    with job(house.tenant):
        actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"invitation.sent", "member.joined"} <= actions


def test_the_mail_carries_the_link_and_the_answer_does_not(
    house: House, settings: Settings
) -> None:
    answer = house.olga.post("invitations/", {"email": newcomer(), "role": "viewer"})
    invitation = Invitation.objects.get(pk=answer.json()["id"])
    tasks.mail_invitation(str(invitation.id))
    token = offers.token_of(invitation)
    [message] = mail.outbox
    assert message.to == [invitation.email]
    assert f"{settings.INVITATION_URL}#token=" in message.body
    assert token.rpartition(":")[0].split(":")[0] in message.body
    assert token.split(":")[0] not in answer.content.decode()


def test_no_mail_goes_out_for_what_has_been_withdrawn(house: House) -> None:
    invitation = invited(house.olga, newcomer())
    house.olga.request("DELETE", f"invitations/{invitation.id}/")
    tasks.mail_invitation(str(invitation.id))
    assert not mail.outbox


def test_a_newcomers_password_keeps_the_rules(house: House) -> None:
    email = newcomer()
    invitation = invited(house.olga, email)
    weak = accept(invitation, "short")
    assert told(weak) == (400, "unfit_password")
    assert told(accept(invitation, "")) == (401, "proof_needed")
    assert not User.objects.filter(email=email).exists()
    assert accept(invitation).status_code == 200


def test_a_known_person_gives_their_password_or_is_signed_in(house: House) -> None:
    invitation = invited(house.olga, house.mallory.email)
    address = anywhere()
    for _ in range(5):
        assert told(accept(invitation, "Wrong-horse-7", at=address)) == (401, "wrong_login")
    assert told(accept(invitation, at=address)) == (429, "too_many_attempts")
    assert told(accept(invitation, "")) == (401, "proof_needed")
    somebody_else = signed_in(house.alice)
    assert told(accept(invitation, "", credential=somebody_else)) == (401, "proof_needed")
    hers = signed_in(house.mallory)
    assert accept(invitation, "", credential=hers).status_code == 200
    assert members(house, house.mallory.email) == ["trader"]


def test_a_known_persons_password_is_enough(house: House) -> None:
    assert accept(invited(house.olga, house.mallory.email, "viewer")).status_code == 200
    assert members(house, house.mallory.email) == ["viewer"]
    stays = User.objects.get(pk=house.mallory.user_id)
    assert stays.check_password(PASSWORD)


def test_an_invitation_is_good_once(house: House) -> None:
    invitation = invited(house.olga, newcomer())
    assert accept(invitation).status_code == 200
    assert told(accept(invitation)) == (409, "invitation_accepted")
    gone = house.olga.request("DELETE", f"invitations/{invitation.id}/")
    assert told(gone) == (409, "invitation_accepted")


def test_two_who_accept_at_once_make_one_member(house: House) -> None:
    invitation = invited(house.olga, house.mallory.email)

    def act(_: int) -> int:
        try:
            return int(accept(invitation).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(act, range(2))) == [200, 409]
    assert members(house, house.mallory.email) == ["trader"]


def test_what_is_withdrawn_is_worth_nothing(house: House) -> None:
    invitation = invited(house.olga, newcomer())
    path = f"invitations/{invitation.id}/"
    assert house.olga.request("DELETE", path).status_code == 204
    assert house.olga.request("DELETE", path).status_code == 204
    assert told(accept(invitation)) == (409, "invitation_withdrawn")


def test_a_new_invitation_takes_the_place_of_the_open_one(house: House) -> None:
    email = newcomer()
    first, second = invited(house.olga, email), invited(house.olga, email, "viewer")
    assert told(accept(first)) == (409, "invitation_withdrawn")
    assert accept(second).json()["role"] == "viewer"


def test_an_invitation_runs_out(house: House, settings: Settings) -> None:
    invitation = invited(house.olga, newcomer())
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=now() - timedelta(seconds=1))
    assert told(accept(invitation)) == (409, "invitation_expired")
    settings.INVITATION_SECONDS = -1
    fresh = invited(house.olga, newcomer())
    assert told(accept(fresh)) == (409, "invitation_expired")


@pytest.mark.parametrize("how", ["changed", "other salt", "no invitation", "no token", "a list"])
def test_a_tampered_token_is_refused(house: House, how: str) -> None:
    invitation = invited(house.olga, newcomer())
    token = offers.token_of(invitation)
    forged = {
        "changed": f"x{token[1:]}",
        "other salt": signing.dumps(str(invitation.id), salt="another"),
        "no invitation": signing.dumps(str(uuid4()), salt=offers.SALT),
        "no token": "x",
        "a list": signing.dumps([str(invitation.id)], salt=offers.SALT),
    }[how]
    assert told(accept_token(forged)) == (400, "invitation_invalid")
    assert accept(invitation).status_code == 200


def test_the_row_decides_the_role(house: House) -> None:
    email = newcomer()
    token = offers.token_of(invited(house.olga, email, "viewer"))
    body = {"token": token, "password": PASSWORD, "role": "owner", "email": house.olga.email}
    assert post("auth/invitations/accept/", body).json()["role"] == "viewer"
    assert members(house, email) == ["viewer"]


def test_an_invitation_is_no_good_at_anothers_address(house: House) -> None:
    token = offers.token_of(invited(house.olga, newcomer()))
    body = {"token": token, "password": PASSWORD}
    where = "/t/{}/api/v1/auth/invitations/accept/"
    client = Client(raise_request_exception=False, REMOTE_ADDR=anywhere())
    away = client.post(
        where.format(house.mallory.tenant.slug), body, content_type="application/json"
    )
    assert told(away) == (400, "invitation_invalid")
    home = client.post(where.format(house.tenant.slug), body, content_type="application/json")
    assert home.status_code == 200


def test_members_are_not_invited_again(house: House) -> None:
    body = {"email": house.alice.email.upper(), "role": "viewer"}
    assert told(house.olga.post("invitations/", body)) == (409, "already_member")
    late = invited(house.olga, house.mallory.email)
    Membership.objects.create(
        tenant=house.tenant,
        user_id=house.mallory.user_id,
        email=house.mallory.email,
        role="viewer",
        created_at=now(),
    )
    assert told(accept(late)) == (409, "already_member")


def test_admins_invite_and_withdraw_within_their_reach(house: House) -> None:
    ada = build_person(house.tenant, "ada", Role.ADMIN)
    email = newcomer()
    invitation = invited(house.olga, email, "admin")
    assert told(ada.post("invitations/", {"email": newcomer(), "role": "owner"}))[0] == 403
    assert told(ada.post("invitations/", {"email": email, "role": "viewer"}))[0] == 403
    refused = ada.request("DELETE", f"invitations/{invitation.id}/")
    assert told(refused) == (403, "role_out_of_reach")
    assert accept(invitation).status_code == 200
    invited(ada, newcomer(), "trader")


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_who_found_a_token_offers_nobody_to_be_in_charge(house: House, role: str) -> None:
    refused = house.olga.post("invitations/", {"email": newcomer(), "role": role})
    assert told(refused) == (403, "step_up_needed")
    assert not Invitation.objects.filter(tenant=house.tenant).exists()


@pytest.mark.parametrize("name", ["alice", "vera"])
def test_others_invite_nobody(house: House, name: str) -> None:
    body = {"email": newcomer(), "role": "viewer"}
    assert getattr(house, name).post("invitations/", body).status_code == 403


def test_a_strangers_invitation_is_as_missing_as_none(house: House) -> None:
    invitation = invited(house.olga, newcomer())
    stranger = build_person(house.mallory.tenant, "oscar", Role.OWNER)
    theirs = stranger.request("DELETE", f"invitations/{invitation.id}/")
    missing = stranger.request("DELETE", f"invitations/{uuid4()}/")
    assert told(theirs) == told(missing) == (404, "not_found")
    assert stranger.get("invitations/").json()["results"] == []
    listed = house.olga.get("invitations/").json()["results"]
    assert [row["id"] for row in listed] == [str(invitation.id)]


def test_a_tenant_sends_so_many_a_day(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "A_DAY", 2)
    invited(house.olga, newcomer())
    invited(house.olga, newcomer())
    refused = house.olga.post("invitations/", {"email": newcomer(), "role": "viewer"})
    assert told(refused) == (429, "too_many_invitations")


def test_by_sql_a_trader_sees_and_makes_no_invitation(house: House) -> None:
    invited(house.olga, newcomer())
    with house.alice.inside(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_invitation")
        assert cursor.fetchone() == (0,)
        cursor.execute("UPDATE accounts_invitation SET role = 'owner'")
        assert cursor.rowcount == 0


def test_a_key_does_not_stand_for_its_person(house: House) -> None:
    invitation = invited(house.olga, house.mallory.email)

    issued = post(
        "api-keys/", {"name": "k", "scope": "trade"}, credential=stepped_up(house.mallory)
    )
    key = f"Api-Key {issued.json()['key']}"
    assert told(accept(invitation, "", credential=key)) == (401, "proof_needed")
    assert call("DELETE", "auth/membership/", credential=key).status_code == 403


def remove(by: Person, of: Person) -> Any:
    member = Membership.objects.get(tenant=of.tenant, user_id=of.user_id)
    return by.request("DELETE", f"members/{member.id}/")


@pytest.mark.parametrize("how", ["removed", "left"])
def test_with_a_member_go_their_open_invitations(house: House, how: str) -> None:
    otto = build_person(house.tenant, "otto", Role.OWNER)
    his, taken, hers = (invited(by, newcomer(), "owner") for by in (otto, otto, house.olga))
    assert accept(taken).status_code == 200
    if how == "removed":
        assert remove(house.olga, otto).status_code == 204
    else:
        left = call("DELETE", "auth/membership/", credential=signed_in(otto))
        assert left.status_code == 204
    assert told(accept(his)) == (409, "invitation_withdrawn")
    assert accept(hers).status_code == 200
    with job(house.tenant):
        gone = AuditEvent.objects.filter(action="invitation.withdrawn")
        assert list(gone.values_list("key", flat=True)) == [str(his.id)]


def test_with_a_role_go_the_invitations_that_it_could_not_send(house: House) -> None:
    otto = build_person(house.tenant, "otto", Role.OWNER)
    owner, trader = invited(otto, newcomer(), "owner"), invited(otto, newcomer(), "trader")
    member = Membership.objects.get(tenant=house.tenant, user_id=otto.user_id)
    proven = {"Authorization": stepped_up(house.olga)}
    lesser = house.olga.request("PATCH", f"members/{member.id}/", {"role": "admin"}, **proven)
    assert lesser.status_code == 200
    assert told(accept(owner)) == (409, "invitation_withdrawn")
    assert accept(trader).status_code == 200


@pytest.mark.parametrize("now_a", ["trader", None])
def test_an_invitation_is_worth_what_its_inviter_could_give_today(
    house: House, now_a: str | None
) -> None:
    """One that was sent while its sender was being removed, and so was not withdrawn."""
    otto = build_person(house.tenant, "otto", Role.OWNER)
    invitation = invited(otto, newcomer(), "viewer")
    his = Membership.objects.filter(tenant=house.tenant, user_id=otto.user_id)
    _ = his.update(role=now_a) if now_a else his.delete()
    assert told(accept(invitation)) == (409, "invitation_withdrawn")
    assert members(house, invitation.email) == []


def test_somebody_deactivated_brings_nobody_in(house: House) -> None:
    invitation = invited(house.olga, newcomer(), "owner")
    User.objects.filter(pk=house.olga.user_id).update(is_active=False)
    assert told(accept(invitation)) == (409, "invitation_withdrawn")
