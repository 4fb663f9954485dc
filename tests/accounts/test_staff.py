"""The staff's pages: both factors first, never a tenant's rows, and support under watch."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.test import Client

from accounts.audit.models import AuditEvent
from accounts.mfa.models import Authenticator
from accounts.support import actions as support
from accounts.support.errors import NotTwoPeople, SupportClosed
from accounts.support.models import SupportSession
from accounts.trail.models import PlatformEvent
from accounts.users import actions as users
from accounts.users.models import User
from tenants.models import Plan
from tenants.ownership import TenantOwned
from tests.accounts.doors import call, stepped_up
from tests.cast import PASSWORD, House, anywhere, build_tenant, job, now

pytestmark = pytest.mark.by_turns


def staff() -> User:
    email = f"staff{uuid4().hex[:10]}@bulkhead.example"
    return users.ensure(email=email, password=PASSWORD, now=now(), is_staff=True)


def browser() -> Client:
    return Client(REMOTE_ADDR=anywhere())


def with_password(person: User, password: str = PASSWORD) -> tuple[Client, Any]:
    client = browser()
    form = {"email": person.email, "password": password}
    return client, client.post("/admin/login/", form)


def added(client: Client) -> str:
    """The secret for an authenticator, which the button and no mere look at the page makes."""
    assert b"Add a second factor" in client.get("/admin/code/").content
    return str(client.post("/admin/code/", {"add": "x"}).context["adding"].secret)


def logged_in(person: User) -> Client:
    """Both factors shown; the second one added on the way."""
    client, _ = with_password(person)
    secret = added(client)
    answer = client.post("/admin/code/", {"otp": pyotp.TOTP(secret).now()})
    assert len(answer.context["codes"]) == 10
    return client


def test_the_password_alone_opens_nothing() -> None:
    client, answer = with_password(staff())
    assert answer["Location"].startswith("/admin/code/")
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get("/admin/tenants/plan/").status_code == 302


def test_with_both_factors_staff_come_in_and_the_session_is_a_new_one() -> None:
    person = staff()
    client, _ = with_password(person)
    before = client.cookies["sessionid"].value
    secret = added(client)
    wrong = client.post("/admin/code/", {"otp": "000000"})
    assert wrong.status_code == 200
    client.post("/admin/code/", {"otp": pyotp.TOTP(secret).now()})
    assert client.get("/admin/").status_code == 200
    assert client.cookies["sessionid"].value != before
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/admin/")


def test_looking_at_the_page_makes_no_second_factor() -> None:
    person = staff()
    client, _ = with_password(person)
    client.get("/admin/code/")
    assert not Authenticator.objects.filter(user=person).exists()
    client = logged_in(staff())
    assert client.post("/admin/code/", {"add": "x"})["Location"] == "/admin/code/"


def test_a_person_who_is_not_staff_is_told_what_a_stranger_is(house: House) -> None:
    person = User.objects.get(pk=house.olga.user_id)
    pages = [with_password(person)[1], with_password(person, "Wrong-horse-7")[1]]
    for page in pages:
        assert page.status_code == 200
        assert page.context["form"].non_field_errors() == ["Email or password is not right."]


def test_the_admin_is_on_the_platform_host_only(house: House) -> None:
    slug = house.tenant.slug
    assert Client().get(f"/t/{slug}/admin/login/").status_code == 404
    assert Client(HTTP_HOST=f"{slug}.localhost").get("/admin/login/").status_code == 404


def test_no_page_of_the_staff_shows_what_belongs_to_a_tenant() -> None:
    shown = set(admin.site._registry)
    assert not [model for model in shown if issubclass(model, TenantOwned)]
    assert apps.get_model("accounts.User") not in shown
    assert apps.get_model("accounts.ApiKey") not in shown


def test_tenants_are_shown_and_plans_are_changed_without_a_restart(house: House) -> None:
    client = logged_in(staff())
    found = client.get(f"/admin/tenants/tenant/?q={house.tenant.slug}")
    assert house.tenant.name in found.content.decode()
    plan = Plan.objects.get(code="starter")
    plan.pk = f"p{uuid4().hex[:8]}"
    plan.save(force_insert=True)
    form = {f.name: getattr(plan, f.name) for f in Plan._meta.fields if f.name != "has_own_schema"}
    answer = client.post(f"/admin/tenants/plan/{plan.pk}/change/", {**form, "name": "Changed"})
    assert answer.status_code == 302, answer.content
    assert Plan.objects.get(pk=plan.pk).name == "Changed"


def test_every_page_of_the_staff_opens() -> None:
    client = logged_in(staff())
    pages = ["/admin/", "/admin/password_change/", "/admin/password_change/done/"]
    for model, page in admin.site._registry.items():
        at = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        pages += [at, *([f"{at}add/"] if type(page).add_view is not ModelAdmin.add_view else [])]
    assert {path: client.get(path).status_code for path in pages} == dict.fromkeys(pages, 200)


def test_the_staff_changes_passwords_by_mail_and_what_it_does_is_on_record() -> None:
    person = staff()
    client = logged_in(person)
    assert client.post("/admin/password_change/", {"old_password": "x"}).status_code == 302
    assert User.objects.get(pk=person.pk).check_password(PASSWORD)
    recorded = PlatformEvent.objects.filter(actor=f"user:{person.pk}", action="staff.logged_in")
    assert recorded.count() == 1


def asked(house: House) -> tuple[SupportSession, User]:
    person = staff()
    session = support.ask(tenant=house.tenant, staff=person, reason="a question", now=now())
    return session, person


def test_nobody_lets_themselves_in(house: House) -> None:
    session, person = asked(house)
    with pytest.raises(NotTwoPeople):
        support.open_by_staff(session=session, by=person, now=now())
    with pytest.raises(SupportClosed):
        support.issue_token(session=session, staff=person, now=now())


def token_of(session: SupportSession, person: User) -> dict[str, str]:
    session.refresh_from_db()
    token = support.issue_token(session=session, staff=person, now=now())
    return {"Authorization": f"Bearer {token}"}


def get(path: str, headers: dict[str, str]) -> Any:
    return Client(raise_request_exception=False).get(f"/api/v1/{path}", headers=headers)


def test_an_owner_lets_staff_in_to_read_and_sees_what_they_asked(house: House) -> None:
    house.alice.post("accounts/", {"name": "hers"})
    session, person = asked(house)
    assert house.alice.get("support-sessions/").status_code == 403
    listed = house.olga.get("support-sessions/").json()["results"]
    assert [row["staff_email"] for row in listed] == [person.email]
    path = f"support-sessions/{session.id}/open/"
    assert house.olga.post(path, None).json()["code"] == "step_up_needed"
    opened = call("POST", path, credential=stepped_up(house.olga))
    assert (opened.status_code, opened.json()["opened_by_owner"]) == (200, True)
    headers = token_of(session, person)
    assert [row["name"] for row in get("accounts/", headers).json()["results"]] == ["hers"]
    refused = Client().post(
        "/api/v1/accounts/", {"name": "x"}, content_type="application/json", headers=headers
    )
    assert refused.status_code == 403
    with job(house.tenant):
        seen = AuditEvent.objects.filter(actor=f"support:{person.id}", action="support.request")
        assert [event.key for event in seen.order_by("at", "id")] == [
            "GET /api/v1/accounts/",
            "POST /api/v1/accounts/",
        ]


def test_the_trail_tells_which_rows_support_asked_for(house: House) -> None:
    session, person = asked(house)
    support.open_by_staff(session=session, by=staff(), now=now())
    headers = token_of(session, person)
    name, long = "%C3%A9%00%0A<script>", "x" * 600
    for query in ("", "?page_size=1&ordering=-name", f"?name={name}", f"?name={long}&page_size=1"):
        get(f"accounts/{query}", headers)
    with job(house.tenant):
        seen = AuditEvent.objects.filter(actor=f"support:{person.id}", action="support.request")
        first, filtered, odd, cut = [event.after for event in seen.order_by("at", "id")]
        assert {event.key for event in seen} == {"GET /api/v1/accounts/"}
    assert first is None
    assert filtered == {"query": "page_size=1&ordering=-name"}
    assert odd == {"query": "name=%C3%A9%00%0A%3Cscript%3E"}
    assert cut == {"query": f"name={'x' * 494}…"}
    assert len(cut["query"]) == 500


def test_a_colleague_lets_staff_in_and_the_end_is_at_once(house: House) -> None:
    session, person = asked(house)
    support.open_by_staff(session=session, by=staff(), now=now())
    headers = token_of(session, person)
    assert get("accounts/", headers).status_code == 200
    assert house.olga.post(f"support-sessions/{session.id}/end/", None).status_code == 204
    assert get("accounts/", headers).json()["code"] == "session_ended"
    session.refresh_from_db()
    with pytest.raises(SupportClosed):
        support.issue_token(session=session, staff=person, now=now())


def test_a_support_session_runs_out(house: House) -> None:
    session, person = asked(house)
    support.open_by_staff(session=session, by=staff(), now=now() - timedelta(hours=2))
    session.refresh_from_db()
    with pytest.raises(SupportClosed):
        support.issue_token(session=session, staff=person, now=now())


def test_support_is_refused_in_every_other_tenant(house: House) -> None:
    session, person = asked(house)
    support.open_by_staff(session=session, by=staff(), now=now())
    headers = token_of(session, person)
    slug = house.mallory.tenant.slug
    away = Client().get(f"/t/{slug}/api/v1/accounts/", headers=headers)
    assert (away.status_code, away.json()["code"]) == (403, "tenant_mismatch")
    assert get("audit-log/", headers).status_code == 403
    assert get("auth/me/", headers).status_code == 403


def test_the_staff_asks_and_lets_in_by_the_pages(house: House) -> None:
    asking, opening = staff(), staff()
    client = logged_in(asking)
    form = {"tenant": str(house.tenant.id), "reason": "a question"}
    assert client.post("/admin/accounts/supportsession/add/", form).status_code == 302
    session = SupportSession.objects.get(staff=asking)
    chosen = {"action": "let_in", "_selected_action": [str(session.pk)]}
    logged_in(opening).post("/admin/accounts/supportsession/", chosen)
    session.refresh_from_db()
    assert session.opened_by_id == opening.id
    shown = client.post("/admin/accounts/supportsession/", {**chosen, "action": "show_token"})
    [token] = re.findall(r"<code>(.+)</code>", shown.content.decode())
    assert get("accounts/", {"Authorization": f"Bearer {token}"}).status_code == 200
    assert "no-store" in shown["Cache-Control"]
    assert token not in str(dict(client.session)) + str(client.cookies)


def test_without_a_token_to_show_the_list_says_why() -> None:
    """Who may not be let in gets no page of tokens."""
    person = staff()
    client = logged_in(person)
    form = {"tenant": str(build_tenant().id), "reason": "a question"}
    client.post("/admin/accounts/supportsession/add/", form)
    session = SupportSession.objects.get(staff=person)
    chosen = {"action": "show_token", "_selected_action": [str(session.pk)]}
    answer = client.post("/admin/accounts/supportsession/", chosen, follow=True)
    assert SupportClosed.title in answer.content.decode()
    assert "<code>" not in answer.content.decode()
