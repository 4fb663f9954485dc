"""Refresh tokens: stolen, replayed, raced, and used after the ground under them has gone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from accounts.access.models import Membership
from accounts.login.refreshing import REUSED
from accounts.sessions.models import RefreshToken, Session
from accounts.tokens import credentials
from accounts.users.models import User
from tenants.models import Tenant
from tests.attacks.wire import Answer, bearer, call, log_in, session, stepped_up
from tests.cast import House, build_house
from tests.web import Server

pytestmark = pytest.mark.by_turns

REFUSED = (401, "invalid_credential")
ENDED = (401, "session_ended")
ROUNDS = 20


def refresh(site: Server, token: str) -> Answer:
    return call(site, "POST", "auth/refresh/", {"refresh": token})


def ask(site: Server, given: dict[str, Any]) -> Answer:
    """Something that any good access token may."""
    return call(site, "GET", "accounts/", credential=f"Bearer {given['access']}")


def test_a_replayed_token_ends_its_family_and_no_other(site: Server, house: House) -> None:
    first, other = session(site, house.alice), session(site, house.alice)
    second = refresh(site, first["refresh"]).json()
    third = refresh(site, second["refresh"]).json()
    assert ask(site, third).status == 200
    assert refresh(site, first["refresh"]).told == REFUSED
    for given in (first, second, third):
        assert ask(site, given).told == ENDED
        assert refresh(site, given["refresh"]).told == REFUSED
    assert ask(site, other).status == 200
    assert refresh(site, other["refresh"]).status == 200


def at_once(site: Server, token: str, times: int) -> list[Answer]:
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(lambda _: refresh(site, token), range(times)))


def test_of_two_at_once_one_is_served_and_the_session_ends(site: Server) -> None:
    """The thief and the owner cannot be told apart: both have to log in again."""
    house = build_house("starter")
    for _ in range(ROUNDS):
        given = session(site, house.alice)
        answers = at_once(site, given["refresh"], 2)
        served = [answer for answer in answers if answer.status == 200]
        assert [answer.told for answer in answers if answer.status != 200] == [REFUSED]
        [fresh] = [answer.json() for answer in served]
        assert ask(site, given).told == ask(site, fresh).told == ENDED
        assert refresh(site, fresh["refresh"]).told == REFUSED
        ended = Session.objects.get(pk=credentials.identify(fresh["access"]).session_id)
        assert ended.ended_because == REUSED


def test_of_many_at_once_one_is_served(site: Server, house: House) -> None:
    given = session(site, house.alice)
    answers = at_once(site, given["refresh"], 8)
    assert sorted(answer.status for answer in answers) == [200, *[401] * 7]
    issued = RefreshToken.objects.filter(
        session_id=credentials.identify(given["access"]).session_id
    )
    assert issued.count() == 2


def test_a_session_that_was_ended_is_not_refreshed(site: Server, house: House) -> None:
    left, thrown = session(site, house.alice), session(site, house.alice)
    out = call(site, "POST", "auth/logout/", credential=f"Bearer {left['access']}")
    assert out.status == 204
    everywhere = call(site, "DELETE", "auth/sessions/", credential=f"Bearer {thrown['access']}")
    assert everywhere.json() == {"ended": 1}
    for given in (left, thrown):
        assert refresh(site, given["refresh"]).told == REFUSED
        assert ask(site, given).told == ENDED


def test_a_removed_member_is_not_refreshed(site: Server, house: House) -> None:
    given = session(site, house.alice)
    member = Membership.objects.get(user_id=house.alice.user_id, tenant=house.tenant)
    owner = stepped_up(house.olga)
    assert call(site, "DELETE", f"members/{member.id}/", credential=owner).status == 204
    assert refresh(site, given["refresh"]).told == REFUSED
    assert ask(site, given).told == ENDED


def test_a_new_role_ends_what_was_signed_with_the_old_one(site: Server, house: House) -> None:
    given = session(site, house.alice)
    member = Membership.objects.get(user_id=house.alice.user_id, tenant=house.tenant)
    owner = bearer(house.olga)
    changed = call(site, "PATCH", f"members/{member.id}/", {"role": "viewer"}, credential=owner)
    assert changed.status == 200
    assert refresh(site, given["refresh"]).told == REFUSED
    assert ask(site, given).told == ENDED


def test_a_person_who_was_shut_out_is_not_refreshed(site: Server, house: House) -> None:
    given = session(site, house.alice)
    User.objects.filter(pk=house.alice.user_id).update(is_active=False)
    assert refresh(site, given["refresh"]).told == REFUSED
    assert log_in(site, house.alice).told == (401, "wrong_login")


def test_a_suspended_tenant_is_not_refreshed_and_takes_the_token_no_further(
    site: Server, house: House
) -> None:
    given = session(site, house.alice)
    Tenant.objects.filter(pk=house.tenant.id).update(status=Tenant.Status.SUSPENDED)
    assert refresh(site, given["refresh"]).told == REFUSED
    assert ask(site, given).status in (403, 404)
    assert log_in(site, house.alice).status in (401, 403)


@pytest.mark.parametrize("kind", ["access", "digest", "cut", "empty", "nul", "long"])
def test_what_is_no_refresh_token_is_refused(site: Server, house: House, kind: str) -> None:
    given = session(site, house.alice)
    stored = RefreshToken.objects.filter(user_id=house.alice.user_id).latest("created_at")
    token = {
        "access": given["access"],
        "digest": bytes(stored.digest).hex(),
        "cut": given["refresh"][:-1],
        "empty": "",
        "nul": given["refresh"] + "\0",
        "long": given["refresh"] * 10,
    }[kind]
    assert refresh(site, token).status in (400, 401)
    assert refresh(site, given["refresh"]).status == 200
