"""What is done to a person on the platform is in the trails of their tenants too, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from accounts.access.roles import Role
from accounts.audit import verification
from accounts.audit.models import AuditEvent
from accounts.members import actions as members
from accounts.support.models import SupportSession
from accounts.suspension import actions as suspension
from accounts.tokens import credentials
from accounts.tokens.models import ApiKey
from accounts.trail import tasks
from accounts.users.models import User
from config.celery import application
from tenants.context import Actor
from tenants.models import Tenant
from tests.accounts.doors import call, post, signed_in, stepped_up
from tests.accounts.test_proven_emails import reset
from tests.accounts.test_staff import asked
from tests.accounts.test_suspension import suspend
from tests.cast import PASSWORD, House, Person, anywhere, build_tenant, job, now

pytestmark = pytest.mark.by_turns

NEW = "Another-horse-8"
Told = list[tuple[str, str, Any]]


@pytest.fixture
def worker() -> Iterator[None]:
    """Tasks run where they are sent from."""
    application.conf.task_always_eager = True
    yield
    application.conf.task_always_eager = False


def heard(tenant: Tenant, person: Person) -> Told:
    """What a tenant's trail says that the person did, from the end of a session or key on."""
    actions = ("api_key.revoked", "session.ended", "password.reset", "password.changed")
    with job(tenant):
        events = AuditEvent.objects.filter(actor=f"user:{person.user_id}", action__in=actions)
        return list(events.order_by("action").values_list("action", "key", "after"))


def elsewhere(person: Person) -> Person:
    """The same person in a second tenant."""
    tenant = build_tenant()
    user = User.objects.get(pk=person.user_id)
    members.ensure_member(tenant=tenant, user=user, role=Role.TRADER, by="system:test", now=now())
    return replace(person, tenant=tenant)


def with_key(person: Person) -> str:
    body = {"name": "x", "scope": "read"}
    made = post("api-keys/", body, credential=stepped_up(person))
    return str(made.json()["id"])


def session_of(credential: str) -> str:
    return str(credentials.identify(credential.removeprefix("Bearer ")).session_id)


@pytest.mark.usefixtures("worker")
def test_the_persons_tenants_hear_of_a_reset_and_what_it_ended(house: House) -> None:
    alice, there = house.alice, elsewhere(house.alice)
    kept = {
        person.tenant.id: (with_key(person), session_of(signed_in(person)))
        for person in (alice, there)
    }
    assert reset(alice.email) == 204
    for person in (alice, there):
        key, session = kept[person.tenant.id]
        assert heard(person.tenant, alice) == [
            ("api_key.revoked", key, None),
            ("password.reset", str(alice.user_id), None),
            ("session.ended", session, {"because": "the password was reset"}),
        ]
        assert verification.of_tenant(person.tenant).faults == ()
    assert heard(house.mallory.tenant, alice) == []


@pytest.mark.usefixtures("worker")
def test_who_is_in_charge_reads_of_it_with_address_and_request(house: House) -> None:
    with_key(house.alice)
    assert reset(house.alice.email) == 204
    query = f"audit-log/?actor_id={house.alice.user_id}&action=api_key.revoked"
    (event,) = house.olga.get(query).json()["results"]
    assert event["before"]["name"] == "x"
    assert event["address"] == "127.0.0.1"
    assert event["request_id"]


@pytest.mark.usefixtures("worker")
def test_a_change_tells_of_the_other_sessions_and_of_no_key(house: House) -> None:
    alice, there = house.alice, elsewhere(house.alice)
    mine, other, away = signed_in(alice), signed_in(alice), signed_in(there)
    with_key(alice)
    body = {"current": PASSWORD, "new": NEW}
    assert post("auth/password/", body, credential=mine).status_code == 204
    changed = ("password.changed", str(alice.user_id), None)
    because = {"because": "the password was changed"}
    assert heard(alice.tenant, alice) == [changed, ("session.ended", session_of(other), because)]
    assert heard(there.tenant, alice) == [changed, ("session.ended", session_of(away), because)]


@pytest.mark.usefixtures("worker")
def test_the_tenant_hears_that_support_has_ended_with_its_password(house: House) -> None:
    session, person = asked(house)
    assert reset(person.email) == 204
    with job(house.tenant):
        ended = AuditEvent.objects.get(action="support.ended")
    assert (ended.actor, ended.key) == (f"user:{person.pk}", str(session.pk))
    assert SupportSession.objects.get(pk=session.pk).ended_at is not None


@pytest.mark.usefixtures("worker")
def test_the_tenants_of_somebody_deactivated_hear_of_it(house: House) -> None:
    session = session_of(signed_in(house.alice))
    user = User.objects.get(pk=house.alice.user_id)
    suspension.deactivate(user=user, by=Actor.system("test"), now=now())
    with job(house.tenant):
        events = AuditEvent.objects.filter(actor="system:test", actor_id=None)
        told = set(events.values_list("action", "key"))
    assert {("person.deactivated", str(user.pk)), ("session.ended", session)} <= told


@pytest.mark.usefixtures("worker")
def test_a_tenant_that_is_closed_is_told_nothing_and_the_others_are(house: House) -> None:
    there = elsewhere(house.alice)
    suspend(there.tenant)
    assert reset(house.alice.email) == 204
    assert [action for action, _, _ in heard(house.tenant, house.alice)] == ["password.reset"]


def test_what_is_delivered_twice_is_written_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.echo, "delay", lambda **message: sent.append(message))
    credential = signed_in(house.alice)
    signed_in(house.alice)
    body = {"current": PASSWORD, "new": NEW}
    assert post("auth/password/", body, credential=credential).status_code == 204
    assert {message["tenant_id"] for message in sent} == {str(house.tenant.id)}
    assert heard(house.tenant, house.alice) == []
    for message in sent + sent:
        tasks.echo(**message)
    actions = [action for action, _, _ in heard(house.tenant, house.alice)]
    assert actions == ["password.changed", "session.ended"]


def test_nobody_hears_of_a_change_that_was_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.echo, "delay", lambda **_: pytest.fail("somebody was told"))
    credential = signed_in(house.alice)
    for body in ({"current": "Wrong-horse-7", "new": NEW}, {"current": PASSWORD, "new": "short"}):
        refused = call("POST", "auth/password/", body, credential=credential, at=anywhere())
        assert refused.status_code in (400, 401)


@pytest.mark.usefixtures("worker")
def test_a_key_that_was_being_issued_at_the_reset_ends_after_it(house: House) -> None:
    """Its transaction commits between the look for keys and the reset's own commit."""
    key = ApiKey.objects.get(pk=with_key(house.alice))
    late = ApiKey.objects.filter(pk=key.pk)
    late.update(revoked_at=now())  # as not to be seen yet

    def commit(*_: object, **__: object) -> bool:
        late.update(revoked_at=None)
        return False

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("accounts.passwords.actions.emails.prove", commit)
        assert reset(house.alice.email) == 204
    assert late.filter(revoked_at=None).count() == 0
