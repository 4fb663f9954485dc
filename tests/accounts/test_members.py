"""Members of a tenant: who sees them, who changes them, and what ends with that."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from accounts.access.models import Membership, TenantPolicy
from accounts.access.roles import Role
from accounts.audit.models import AuditEvent
from accounts.sessions.models import Session
from accounts.suspension import actions as suspension
from accounts.tokens.models import ApiKey
from accounts.users.models import User
from tenants.context import Actor
from tests.accounts.doors import call, post, signed_in, stepped_up
from tests.cast import House, Person, build_person, job, now

pytestmark = pytest.mark.by_turns


def membership(person: Person) -> Membership:
    return Membership.objects.get(tenant=person.tenant, user_id=person.user_id)


def path(person: Person) -> str:
    return f"members/{membership(person).id}/"


def ask(by: Person, requires: bool, **headers: str) -> Any:
    """A change of the tenant's policy, by who has just proven themselves."""
    proven = {"Authorization": stepped_up(by), **headers}
    return by.request("PATCH", "tenant/policy/", {"requires_second_factor": requires}, **proven)


def patch(by: Person, of: Person, body: Any, **headers: str) -> Any:
    """By who has just proven themselves."""
    return by.request("PATCH", path(of), body, **{"Authorization": stepped_up(by), **headers})


def delete(by: Person, where: str) -> Any:
    return by.request("DELETE", where)


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def actions_of(house: House) -> list[str]:
    with job(house.tenant):
        return list(AuditEvent.objects.values_list("action", flat=True))


def test_an_owner_sees_the_members_of_the_tenant_and_no_others(house: House) -> None:
    rows = house.olga.get("members/").json()["results"]
    emails = {row["email"] for row in rows}
    assert emails == {p.email for p in (house.alice, house.bob, house.olga, house.vera)}
    one = house.olga.get(path(house.alice))
    assert one.json() in rows
    assert set(one.json()) == {"id", "user", "email", "role", "sees_tenant", "created_at"}


@pytest.mark.parametrize("name", ["alice", "vera"])
def test_only_who_manages_members_sees_them(house: House, name: str) -> None:
    person = getattr(house, name)
    assert told(person.get("members/"))[0] == 403
    assert told(person.get(path(house.bob)))[0] == 403
    assert told(person.get("invitations/"))[0] == 403


@pytest.mark.parametrize("name", ["alice", "vera"])
def test_nobody_else_changes_or_removes_anybody(house: House, name: str) -> None:
    person = getattr(house, name)
    assert patch(person, house.bob, {"role": "owner"}).status_code == 403
    assert patch(person, person, {"role": "owner"}).status_code == 403
    assert delete(person, path(house.bob)).status_code == 403
    assert membership(house.bob).role == "trader"


def test_a_strangers_member_is_as_missing_as_none(house: House) -> None:
    stranger = build_person(house.mallory.tenant, "oscar", Role.OWNER)
    for method, body in (("GET", None), ("PATCH", {"role": "viewer"}), ("DELETE", None)):
        theirs = stranger.request(method, path(house.alice), body)
        missing = stranger.request(method, f"members/{uuid4()}/", body)
        assert told(theirs) == told(missing) == (404, "not_found")
    assert membership(house.alice).role == "trader"


def test_an_admin_manages_traders_and_viewers_only(house: House) -> None:
    ada = build_person(house.tenant, "ada", Role.ADMIN)
    assert patch(ada, house.alice, {"role": "viewer"}).json()["role"] == "viewer"
    for of, body in (
        (house.alice, {"role": "admin"}),
        (house.olga, {"role": "viewer"}),
        (house.vera, {"sees_tenant": True}),
    ):
        assert told(patch(ada, of, body)) == (403, "role_out_of_reach")
    assert told(delete(ada, path(house.olga))) == (403, "role_out_of_reach")
    assert delete(ada, path(house.bob)).status_code == 204


def test_nobody_changes_their_own_role(house: House) -> None:
    build_person(house.tenant, "otto", Role.OWNER)
    assert told(patch(house.olga, house.olga, {"role": "viewer"})) == (403, "own_role")


def test_fields_that_are_not_offered_have_no_effect(house: House) -> None:
    body = {
        "role": "viewer",
        "email": "x@x.example",
        "user": str(house.mallory.user_id),
        "user_id": str(house.mallory.user_id),
        "tenant": str(house.mallory.tenant.id),
        "tenant_id": str(house.mallory.tenant.id),
        "id": str(uuid4()),
    }
    before = membership(house.alice)
    assert patch(house.olga, house.alice, body).status_code == 200
    after = membership(house.alice)
    assert (after.id, after.email, after.user_id) == (before.id, before.email, before.user_id)


@pytest.mark.parametrize("role", ["emperor", "support", "", None, 1])
def test_an_unknown_role_is_refused(house: House, role: Any) -> None:
    assert patch(house.olga, house.alice, {"role": role}).status_code == 400


def test_a_change_needs_the_newest_version(house: House) -> None:
    etag = house.olga.get(path(house.alice))["ETag"]
    assert patch(house.olga, house.alice, {"role": "viewer"}, If_Match=etag).status_code == 200
    stale = patch(house.olga, house.alice, {"role": "admin"}, If_Match=etag)
    assert told(stale) == (412, "version_mismatch")


def test_a_change_of_role_ends_the_sessions_at_once(house: House) -> None:
    hers, his = signed_in(house.alice), signed_in(house.bob)
    assert patch(house.olga, house.alice, {"role": "admin"}).status_code == 200
    assert told(call("GET", "orders/", credential=hers)) == (401, "session_ended")
    assert call("GET", "orders/", credential=his).status_code == 200
    assert call("GET", "members/", credential=signed_in(house.alice)).status_code == 200
    assert "member.changed" in actions_of(house)


def test_a_change_to_what_is_ends_nothing(house: House) -> None:
    hers = signed_in(house.alice)
    assert patch(house.olga, house.alice, {"role": "trader"}).status_code == 200
    assert call("GET", "orders/", credential=hers).status_code == 200


def test_an_owner_grants_a_viewer_the_whole_tenant(house: House) -> None:
    house.alice.post("accounts/", {"name": "hers"})
    hers = signed_in(house.vera)
    assert call("GET", "accounts/", credential=hers).json()["results"] == []
    assert patch(house.olga, house.vera, {"sees_tenant": True}).json()["sees_tenant"] is True
    assert told(call("GET", "accounts/", credential=hers)) == (401, "session_ended")
    seen = call("GET", "accounts/", credential=signed_in(house.vera)).json()["results"]
    assert [row["name"] for row in seen] == ["hers"]
    assert told(patch(house.olga, house.alice, {"sees_tenant": True})) == (409, "not_a_viewer")


def deactivate(person: Person) -> None:
    user = User.objects.get(pk=person.user_id)
    suspension.deactivate(user=user, by=Actor.system("test"), now=now())


def test_an_owner_who_is_shut_out_is_none_to_leave_the_tenant_to(house: House) -> None:
    otto = build_person(house.tenant, "otto", Role.OWNER)
    deactivate(otto)
    left = call("DELETE", "auth/membership/", credential=signed_in(house.olga))
    assert told(left) == (409, "last_owner")
    assert delete(house.olga, path(otto)).status_code == 204
    assert membership(house.olga).role == "owner"


def test_an_owner_who_is_shut_out_is_demoted_like_any_other(house: House) -> None:
    otto = build_person(house.tenant, "otto", Role.OWNER)
    deactivate(otto)
    assert patch(house.olga, otto, {"role": "viewer"}).status_code == 200
    left = call("DELETE", "auth/membership/", credential=signed_in(house.olga))
    assert told(left) == (409, "last_owner")


@pytest.mark.parametrize(
    ("of", "body"),
    [
        ("alice", {"role": "owner"}),
        ("alice", {"role": "admin"}),
        ("vera", {"sees_tenant": True}),
        ("alice", {"role": "viewer", "sees_tenant": True}),
    ],
)
def test_who_found_a_token_puts_nobody_in_charge(house: House, of: str, body: Any) -> None:
    person = getattr(house, of)
    before = membership(person)
    refused = house.olga.request("PATCH", path(person), body)
    assert told(refused) == (403, "step_up_needed")
    after = membership(person)
    assert (after.role, after.sees_tenant) == (before.role, before.sees_tenant)


def test_what_lets_nobody_further_in_takes_no_proof(house: House) -> None:
    for of, body in ((house.bob, {"role": "viewer"}), (house.vera, {"sees_tenant": False})):
        assert house.olga.request("PATCH", path(of), body).status_code == 200


def test_the_grant_ends_with_the_role(house: House) -> None:
    patch(house.olga, house.vera, {"sees_tenant": True})
    assert patch(house.olga, house.vera, {"role": "trader"}).json()["sees_tenant"] is False
    assert patch(house.olga, house.vera, {"role": "viewer"}).json()["sees_tenant"] is False


def test_a_removal_ends_sessions_and_keys_at_once(house: House) -> None:
    hers = signed_in(house.alice)
    body = {"name": "bot", "scope": "trade"}
    key = post("api-keys/", body, credential=stepped_up(house.alice)).json()["key"]
    assert call("GET", "orders/", credential=f"Api-Key {key}").status_code == 200
    assert delete(house.olga, path(house.alice)).status_code == 204
    assert told(call("GET", "orders/", credential=hers)) == (401, "session_ended")
    assert call("GET", "orders/", credential=f"Api-Key {key}").status_code == 401
    assert ApiKey.objects.get(user_id=house.alice.user_id).revoked_at is not None
    login = {"email": house.alice.email, "password": "Correct-horse-7"}
    assert told(post("auth/login/", login)) == (403, "no_tenant")
    assert {"member.removed", "api_key.revoked"} <= set(actions_of(house))


@pytest.mark.parametrize("name", ["alice", "vera", "bob"])
def test_anyone_leaves(house: House, name: str) -> None:
    person = getattr(house, name)
    hers = signed_in(person)
    assert call("DELETE", "auth/membership/", credential=hers).status_code == 204
    assert call("GET", "orders/", credential=hers).status_code == 401
    assert not Membership.objects.filter(user_id=person.user_id).exists()
    assert "member.left" in actions_of(house)


def test_the_last_owner_stays(house: House) -> None:
    hers = signed_in(house.olga)
    for where in ("auth/membership/", path(house.olga)):
        assert told(call("DELETE", where, credential=hers)) == (409, "last_owner")
    build_person(house.tenant, "otto", Role.OWNER)
    assert call("DELETE", path(house.olga), credential=hers).status_code == 204


@pytest.mark.parametrize("how", ["remove", "demote", "leave"])
def test_two_owners_at_once_leave_one(house: House, how: str) -> None:
    otto = build_person(house.tenant, "otto", Role.OWNER)
    pair = [(house.olga, otto), (otto, house.olga)]
    paths = {person.name: path(person) for person in (house.olga, otto)}

    def act(by: Person, of: Person) -> int:
        try:
            if how == "leave":
                return int(call("DELETE", "auth/membership/", credential=signed_in(by)).status_code)
            if how == "demote":
                return int(by.request("PATCH", paths[of.name], {"role": "trader"}).status_code)
            return int(by.request("DELETE", paths[of.name]).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(lambda both: act(*both), pair))
    owners = Membership.objects.filter(tenant=house.tenant, role="owner").count()
    assert owners == 1, statuses
    assert statuses[0] in (200, 204)
    assert statuses[1] in (401, 403, 409)


def test_a_membership_that_has_ended_changes_nobody(house: House) -> None:
    """A token of before, in a request that was already past the door."""
    otto = build_person(house.tenant, "otto", Role.OWNER)
    Membership.objects.filter(user_id=otto.user_id).delete()
    assert told(patch(otto, house.alice, {"role": "viewer"})) == (401, "invalid_credential")


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_by_sql_a_person_changes_no_membership(house: House, name: str) -> None:
    with getattr(house, name).inside(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_membership SET role = 'owner'")
        assert cursor.rowcount == 0
        cursor.execute("DELETE FROM accounts_membership")
        assert cursor.rowcount == 0


def test_the_policy_is_the_owners(house: House) -> None:
    ada = build_person(house.tenant, "ada", Role.ADMIN)
    was = {"requires_second_factor": False, "time_zone": "UTC"}
    assert ada.get("tenant/policy/").json() == was
    for person in (ada, house.alice, house.vera):
        assert told(ask(person, requires=True))[0] == 403
    wanted = {"requires_second_factor": True}
    unproven = house.olga.request("PATCH", "tenant/policy/", wanted)
    assert told(unproven) == (403, "step_up_needed")
    etag = house.olga.get("tenant/policy/")["ETag"]
    done = ask(house.olga, requires=True, If_Match=etag)
    assert (done.status_code, done.json()) == (200, {**was, **wanted})
    stale = ask(house.olga, requires=True, If_Match=etag)
    assert told(stale) == (412, "version_mismatch")
    assert not TenantPolicy.objects.filter(tenant=house.mallory.tenant).exists()


def test_asking_for_a_second_factor_ends_sessions_without_one(house: House) -> None:
    hers, his = signed_in(house.alice), signed_in(house.bob)
    foreign = signed_in(house.mallory)
    Session.objects.filter(user_id=house.bob.user_id).update(has_second_factor=True)
    assert ask(house.olga, requires=True).status_code == 200
    assert told(call("GET", "orders/", credential=hers)) == (401, "session_ended")
    assert call("GET", "orders/", credential=his).status_code == 200
    assert call("GET", "orders/", credential=foreign).status_code == 200
    again = call("GET", "orders/", credential=signed_in(house.alice))
    assert told(again) == (403, "second_factor_enrolment_needed")
    assert "tenant.policy_changed" in actions_of(house)


def test_the_owner_names_the_time_zone(house: House) -> None:
    def name(body: Any) -> Any:
        proven = {"Authorization": stepped_up(house.olga)}
        return house.olga.request("PATCH", "tenant/policy/", body, **proven)

    done = name({"time_zone": "America/New_York"})
    named = {"requires_second_factor": False, "time_zone": "America/New_York"}
    assert (done.status_code, done.json()) == (200, named)
    assert house.vera.get("tenant/policy/").status_code == 403
    for nowhere in ("Mars/Olympus", "localtime", "../UTC", "", "europe/berlin", "x" * 65):
        assert name({"time_zone": nowhere}).status_code == 400
    assert told(name({"time_zone": "Mars/Olympus"})) == (400, "unknown_time_zone")
    assert told(name({})) == (400, "invalid")
    assert house.olga.get("tenant/policy/").json() == named
    assert "tenant.policy_changed" in actions_of(house)
