"""Shutting a tenant or a person out: every way in closes at once, and opens again."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from accounts.access.roles import Role
from accounts.members import actions as members
from accounts.passwords import actions as passwords
from accounts.sessions.models import Session
from accounts.staff import actions as staff
from accounts.support import actions as support
from accounts.support.models import SupportSession
from accounts.suspension import actions as suspension
from accounts.suspension.errors import NotSuspendable
from accounts.trail.models import PlatformEvent
from accounts.users.models import User
from tenants.context import Actor
from tenants.models import Tenant
from tests.accounts.doors import call, post, stepped_up
from tests.accounts.test_members import told
from tests.cast import PASSWORD, House, Person, build_tenant, now
from tests.web import Server

BY = Actor.system("test")


def log_in(person: Person, **more: str) -> Any:
    return post("auth/login/", {"email": person.email, "password": PASSWORD, **more})


def suspend(tenant: Tenant, reason: str = "unpaid") -> bool:
    return suspension.suspend_tenant(tenant=tenant, reason=reason, by=BY, now=now())


def resume(tenant: Tenant) -> bool:
    return suspension.resume_tenant(tenant=tenant, by=BY, now=now())


def key(person: Person) -> str:
    body = {"name": "bot", "scope": "trade"}
    answer = post("api-keys/", body, credential=stepped_up(person))
    return f"Api-Key {answer.json()['key']}"


def watched(house: House) -> tuple[SupportSession, str]:
    """An open support session, and a token of it."""
    first, second = colleague(), colleague()
    session = support.ask(tenant=house.tenant, staff=first, reason="a question", now=now())
    support.open_by_staff(session=session, by=second, now=now())
    session.refresh_from_db()
    return session, f"Bearer {support.issue_token(session=session, staff=first, now=now())}"


def colleague() -> User:
    email = f"staff{uuid4().hex[:10]}@bulkhead.example"
    return staff.create(email=email, password=PASSWORD, by=BY.name, now=now())


def recorded(key: str) -> list[str]:
    rows = PlatformEvent.objects.filter(key=key).order_by("at", "id")
    return list(rows.values_list("action", flat=True))


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_suspended_tenant_lets_nobody_in_and_a_resumed_one_does(house: House) -> None:
    hers = log_in(house.alice).json()
    token, program = f"Bearer {hers['access']}", key(house.alice)
    session, watching = watched(house)
    foreign = f"Bearer {log_in(house.mallory).json()['access']}"
    for credential in (token, program, watching):
        assert call("GET", "orders/", credential=credential).status_code == 200
    assert suspend(house.tenant) is True
    assert told(call("GET", "orders/", credential=token)) == (401, "session_ended")
    assert told(call("GET", "auth/me/", credential=token)) == (401, "session_ended")
    assert told(call("GET", "orders/", credential=program)) == (403, "tenant_suspended")
    assert told(call("GET", "orders/", credential=watching)) == (401, "session_ended")
    assert told(house.alice.get("orders/")) == (403, "tenant_suspended")
    again = {"refresh": hers["refresh"]}
    assert told(post("auth/refresh/", again)) == (401, "invalid_credential")
    assert told(log_in(house.alice)) == (403, "no_tenant")
    assert told(log_in(house.alice, tenant=house.tenant.slug)) == (401, "wrong_login")
    assert call("GET", "orders/", credential=foreign).status_code == 200
    session.refresh_from_db()
    assert session.ended_at is not None
    assert resume(house.tenant) is True
    assert told(call("GET", "orders/", credential=token)) == (401, "session_ended")
    assert told(post("auth/refresh/", again)) == (401, "invalid_credential")
    assert call("GET", "orders/", credential=program).status_code == 200
    fresh = f"Bearer {log_in(house.alice).json()['access']}"
    assert call("GET", "orders/", credential=fresh).status_code == 200


def test_suspending_and_resuming_twice_is_recorded_once(house: House) -> None:
    slug = house.tenant.slug
    done = [suspend(house.tenant), suspend(house.tenant, "another"), resume(house.tenant)]
    assert [*done, resume(house.tenant)] == [True, False, True, False]
    assert recorded(slug)[1:] == ["tenant.suspended", "tenant.resumed"]
    event = PlatformEvent.objects.get(key=slug, action="tenant.suspended")
    assert (event.actor, event.after) == (BY.name, {"reason": "unpaid"})
    assert Tenant.objects.get(pk=house.tenant.pk).status_reason == ""


def test_a_session_that_slipped_in_does_not_outlive_the_suspension(house: House) -> None:
    suspend(house.tenant)
    slipped = Session.objects.create(
        tenant=house.tenant,
        user_id=house.alice.user_id,
        created_at=now(),
        last_seen_at=now(),
        expires_at=now(),
    )
    resume(house.tenant)
    slipped.refresh_from_db()
    assert slipped.ended_because == suspension.SUSPENDED


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
def test_a_suspension_has_a_reason_of_one_line(reason: str) -> None:
    tenant = build_tenant()
    with pytest.raises(ValidationError):
        suspend(tenant, reason)
    assert Tenant.objects.get(pk=tenant.pk).status == "active"


def test_a_tenant_in_the_making_is_neither_suspended_nor_resumed() -> None:
    tenant = build_tenant()
    Tenant.objects.filter(pk=tenant.pk).update(status="provisioning")
    for act in (suspend, resume):
        with pytest.raises(NotSuspendable):
            act(tenant)
    assert Tenant.objects.get(pk=tenant.pk).status == "provisioning"


def test_open_sockets_of_a_suspended_tenant_are_closed(server: Server, house: House) -> None:
    tokens = [log_in(person).json()["access"] for person in (house.alice, house.mallory)]
    address = f"{server.url.replace('http', 'ws')}/ws/v1/stream/"
    hers, foreign = (connect(address, subprotocols=[t]) for t in tokens)
    with hers, foreign:
        for socket in (hers, foreign):
            assert json.loads(socket.recv(timeout=5))["type"] == "authenticated"
        suspend(house.tenant)
        with pytest.raises(ConnectionClosed) as closed:
            hers.recv(timeout=5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
        with pytest.raises(TimeoutError):
            foreign.recv(timeout=0.5)


def test_somebody_deactivated_is_out_everywhere_and_others_stay(house: House) -> None:
    other = build_tenant(house.tenant.tier)
    user = User.objects.get(pk=house.alice.user_id)
    there = Person("alice", user.id, user.email, other, Role.TRADER)
    members.ensure_member(tenant=other, user=user, role=Role.TRADER, by="system:test", now=now())
    tokens = [
        f"Bearer {log_in(person, tenant=person.tenant.slug).json()['access']}"
        for person in (house.alice, there)
    ]
    program, stays = key(house.alice), f"Bearer {log_in(house.bob).json()['access']}"
    assert suspension.deactivate(user=user, by=BY, now=now()) is True
    for token in tokens:
        assert told(call("GET", "orders/", credential=token)) == (401, "session_ended")
    assert told(call("GET", "orders/", credential=program)) == (401, "invalid_credential")
    assert told(log_in(house.alice)) == (401, "wrong_login")
    assert call("GET", "orders/", credential=stays).status_code == 200
    assert suspension.deactivate(user=user, by=BY, now=now()) is False
    assert recorded(str(user.pk)) == ["person.deactivated"]


def test_deactivated_staff_see_no_tenant_any_more(house: House) -> None:
    session, watching = watched(house)
    suspension.deactivate(user=session.staff, by=BY, now=now())
    assert told(call("GET", "orders/", credential=watching)) == (401, "session_ended")
    assert "support.ended" in recorded(str(session.pk))


def test_a_changed_password_ends_the_support_it_gave(house: House) -> None:
    session, watching = watched(house)
    assert passwords._replace(
        session.staff, "Another-horse-8", how="changed", ends=Session.objects.none(), now=now()
    )
    assert told(call("GET", "orders/", credential=watching)) == (401, "session_ended")


def test_the_commands_suspend_resume_and_deactivate(house: House) -> None:
    slug = house.tenant.slug
    done = run("suspend_tenant", slug, "--reason", "unpaid")
    assert done == {"slug": slug, "status": "suspended", "reason": "unpaid", "changed": True}
    assert run("suspend_tenant", slug, "--reason", "again")["reason"] == "unpaid"
    assert run("resume_tenant", slug) == {"slug": slug, "status": "active", "changed": True}
    assert run("resume_tenant", slug)["changed"] is False
    assert run("deactivate_person", house.alice.email.upper())["changed"] is True
    assert told(log_in(house.alice)) == (401, "wrong_login")


@pytest.mark.parametrize(
    "arguments",
    [
        ("suspend_tenant", "no-such", "--reason", "x"),
        ("resume_tenant", "no-such"),
        ("deactivate_person", "nobody@x.example"),
        ("create_staff", "sam@x.example", "--password-file", "/no/such/file"),
    ],
)
def test_a_command_about_nobody_says_so(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"no-such|nobody|No such file"):
        run(*arguments)


def test_create_staff_makes_somebody_who_may_log_in_to_the_pages(tmp_path: Path) -> None:
    email, file = f"sam{uuid4().hex[:8]}@bulkhead.example", tmp_path / "password"
    file.write_text("short\n")
    arguments = ("create_staff", email, "--password-file", str(file))
    with pytest.raises(CommandError, match="8 to 128"):
        run(*arguments)
    file.write_text(f"{PASSWORD}\n")
    made = run(*arguments)
    assert recorded(made["id"]) == ["staff.created"]
    answer = Client().post("/admin/login/", {"email": email, "password": PASSWORD})
    assert answer["Location"].startswith("/admin/code/")
    with pytest.raises(CommandError, match="person_known"):
        run(*arguments)


def test_create_staff_reads_the_password_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\n"))
    made = run("create_staff", f"sam{uuid4().hex[:8]}@bulkhead.example")
    assert User.objects.get(pk=made["id"]).check_password(PASSWORD)


def test_a_tenants_person_is_not_made_staff(house: House, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    with pytest.raises(CommandError, match="person_known"):
        run("create_staff", house.olga.email, "--password-file", str(file))
    assert not User.objects.get(pk=house.olga.user_id).is_staff
