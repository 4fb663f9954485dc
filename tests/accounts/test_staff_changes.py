"""What the staff does to tenants by its pages: each button is one action, recorded by email."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from django.conf import settings
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.mfa.models import Authenticator
from accounts.staff import changes
from accounts.trail import tasks as trail
from accounts.trail.models import PlatformEvent
from accounts.users.models import User
from tenants.deletion import actions as deletion
from tenants.lifecycle import plans, tasks
from tenants.lifecycle.errors import PlanUnfit, UnknownPlan
from tenants.models import Plan, Tenant, TenantMove, TenantStep, TenantWorkflow
from tenants.moving import tasks as moving
from tests.accounts.test_staff import added, logged_in, staff, with_password
from tests.cast import House, build_tenant, now
from tests.isolation import valkey
from tests.tenants.moving.movers import Broken, before

Status = Tenant.Status


@pytest.fixture
def person() -> User:
    return staff()


@pytest.fixture
def client(person: User) -> Client:
    return logged_in(person)


@pytest.fixture(autouse=True)
def _no_letters() -> Iterator[None]:
    """What these tests send to the operator's worker they carry out themselves."""
    yield
    valkey.forget(settings.OPERATORS_QUEUE)


def page_of(tenant: Tenant) -> str:
    return f"/admin/tenants/tenant/{tenant.pk}/change/"


def do(client: Client, tenant: Tenant, code: str, **given: str) -> Any:
    return client.post(f"/admin/tenants/tenant/{tenant.pk}/do/{code}/", given)


def offered(client: Client, tenant: Tenant) -> list[str]:
    return [change.code for change in client.get(page_of(tenant)).context["changes"]]


def fresh(tenant: Tenant) -> Tenant:
    return Tenant.objects.select_related("plan").get(pk=tenant.pk)


def recorded(tenant: Tenant, action: str) -> list[str]:
    rows = PlatformEvent.objects.filter(key=tenant.slug, action=action)
    return list(rows.values_list("actor", flat=True))


def wish(**changed: str) -> dict[str, str]:
    slug = f"n{uuid4().hex[:10]}"
    named = {"slug": slug, "name": "New Customer", "owner_email": f"Olga@{slug}.example"}
    return {**named, "plan": "starter", "region": "default", **changed}


def asked_for(client: Client, **changed: str) -> TenantWorkflow:
    form = wish(**changed)
    answer = client.post("/admin/tenants/tenant/add/", form)
    assert answer.status_code == 302, answer.content
    tenant = Tenant.objects.get(slug=form["slug"])
    assert answer["Location"] == page_of(tenant)
    return TenantWorkflow.objects.get(tenant=tenant)


@pytest.mark.parametrize("plan", ["starter", "enterprise"])
def test_a_tenant_is_wished_for_and_its_page_shows_each_step(
    client: Client, person: User, plan: str
) -> None:
    flow = asked_for(client, plan=plan)
    page = client.get(page_of(flow.tenant)).content.decode()
    assert "data-under-way" in page
    assert page.count('class="waiting"') == len(settings.TENANT_STEPS["provision"])
    tasks.carry_on(str(flow.pk))
    progress = client.get(f"/admin/tenants/tenant/{flow.tenant_id}/progress/").content.decode()
    assert "data-under-way" not in progress
    assert progress.count('class="done"') == len(settings.TENANT_STEPS["provision"])
    assert fresh(flow.tenant).status == Status.ACTIVE
    by = f"system:staff:{person.email}"
    assert recorded(flow.tenant, "tenant.provisioning_begun") == [by]
    assert recorded(flow.tenant, "tenant.created") == [by]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "No Host"),
        ("slug", "-x"),
        ("owner_email", "nobody"),
        ("plan", "gold"),
        ("name", ""),
    ],
)
def test_a_wish_that_makes_no_sense_is_said_at_its_field(
    client: Client, field: str, value: str
) -> None:
    answer = client.post("/admin/tenants/tenant/add/", wish(**{field: value}))
    assert (answer.status_code, list(answer.context["form"].errors)) == (200, [field])


def test_a_name_that_is_taken_is_said_at_the_form(client: Client) -> None:
    answer = client.post("/admin/tenants/tenant/add/", wish(slug=build_tenant().slug))
    assert "is in use" in answer.context["form"].non_field_errors()[0]


def test_what_failed_for_good_needs_somebody_who_can_try_again(client: Client) -> None:
    flow = asked_for(client)
    first = TenantStep.objects.filter(workflow=flow, name="schema")
    first.update(state="failed", attempts=8, error="internal: Trouble")
    page = client.get(page_of(flow.tenant)).content.decode()
    assert ("data-under-way" in page, "internal: Trouble" in page) == (False, True)
    overview = client.get("/admin/").content.decode()
    assert f"{flow.tenant.slug} could not be made" in overview
    assert offered(client, flow.tenant)[0] == "make-again"
    assert do(client, flow.tenant, "make-again").status_code == 302
    tasks.carry_on(str(flow.pk))
    assert fresh(flow.tenant).status == Status.ACTIVE


def test_a_tenant_is_suspended_with_a_reason_and_resumed(
    client: Client, person: User, house: House
) -> None:
    tenant, by = house.tenant, f"system:staff:{person.email}"
    assert do(client, tenant, "suspend", reason="").status_code == 200
    assert do(client, tenant, "suspend", reason="unpaid").status_code == 302
    assert (fresh(tenant).status, fresh(tenant).status_reason) == (Status.SUSPENDED, "unpaid")
    assert house.alice.get("accounts/").status_code == 403
    assert "suspend" not in offered(client, tenant)
    assert do(client, tenant, "resume").status_code == 302
    assert fresh(tenant).status == Status.ACTIVE
    assert recorded(tenant, "tenant.suspended") == recorded(tenant, "tenant.resumed") == [by]


def test_a_plan_is_changed_among_those_of_the_same_side(client: Client, person: User) -> None:
    tenant = build_tenant("starter")
    form = client.get(f"/admin/tenants/tenant/{tenant.pk}/do/plan/").context["form"]
    codes = [code for code, _ in form.fields["plan"].choices]
    assert "pro" in codes
    assert not {"starter", "enterprise"} & set(codes)
    assert do(client, tenant, "plan", plan="pro").status_code == 302
    assert fresh(tenant).tier == "pro"
    assert recorded(tenant, "tenant.plan_changed") == [f"system:staff:{person.email}"]
    assert do(client, tenant, "plan", plan="enterprise").status_code == 200
    assert fresh(tenant).tier == "pro"


def test_no_plan_is_given_that_the_tenant_cannot_go_by() -> None:
    tenant = build_tenant("starter")
    with pytest.raises(UnknownPlan):
        plans.assign(tenant=tenant, plan="gold", by="system:test")
    with pytest.raises(PlanUnfit, match=f"graduate_tenant {tenant.slug} --plan enterprise"):
        plans.assign(tenant=tenant, plan="enterprise", by="system:test")
    with pytest.raises(PlanUnfit, match=r"demote_tenant .* --plan pro"):
        plans.assign(tenant=build_tenant("enterprise"), plan="pro", by="system:test")
    deletion.ask(tenant=tenant, by="system:test", now=now())
    with pytest.raises(PlanUnfit):
        plans.assign(tenant=tenant, plan="pro", by="system:test")
    assert fresh(tenant).tier == "starter"


def test_a_tenant_graduates_and_is_demoted(client: Client, person: User, house: House) -> None:
    tenant, to = house.tenant, {"starter": "enterprise", "enterprise": "pro"}[house.tier]
    code = {"starter": "graduate", "enterprise": "demote"}[house.tier]
    assert do(client, tenant, code, plan=to).status_code == 302
    assert offered(client, tenant) == ["go-on", "give-up", "suspend"]
    [move] = TenantMove.objects.filter(tenant=tenant)
    moving.move(str(move.pk), f"system:staff:{person.email}")
    assert fresh(tenant).tier == to
    assert recorded(tenant, "tenant.move_begun") == [f"system:staff:{person.email}"]
    page = client.get(page_of(tenant)).content.decode()
    assert "Remove the old rows" in page
    assert "data-under-way" not in page


def test_a_move_that_broke_off_needs_somebody_who_goes_on_or_gives_up(client: Client) -> None:
    tenant = build_tenant("starter")
    do(client, tenant, "graduate", plan="enterprise")
    [move] = TenantMove.objects.filter(tenant=tenant)
    with before("copied", _break), pytest.raises(Broken):
        moving.move(str(move.pk), "system:test")
    assert "internal: Broken" in client.get(page_of(tenant)).content.decode()
    assert f"The move of {tenant.slug} was broken off" in client.get("/admin/").content.decode()
    assert do(client, tenant, "go-on").status_code == 302
    assert do(client, tenant, "give-up").status_code == 302
    assert offered(client, tenant) == ["suspend"]
    assert "A move is being given up" in client.get(page_of(tenant)).content.decode()
    TenantMove.objects.filter(pk=move.pk).update(error="tenant_is_busy: It is.")
    assert offered(client, tenant) == ["give-up", "suspend"]
    moving.move(str(move.pk), "system:test")
    assert fresh(tenant).tier == "starter"
    assert "A move was given up" in client.get(page_of(tenant)).content.decode()


def test_a_move_that_has_switched_is_not_offered_to_be_given_up(client: Client) -> None:
    tenant = build_tenant("starter")
    do(client, tenant, "graduate", plan="enterprise")
    [move] = TenantMove.objects.filter(tenant=tenant)
    with before("released", _break), pytest.raises(Broken):
        moving.move(str(move.pk), "system:test")
    assert offered(client, tenant) == ["go-on", "suspend"]
    moving.move(str(move.pk), "system:test")


def _break() -> None:
    raise Broken


def test_a_tenant_is_deleted_by_who_types_its_name_and_shows_a_fresh_code(person: User) -> None:
    client, _ = with_password(person)
    secret = added(client)
    codes = client.post("/admin/code/", {"otp": pyotp.TOTP(secret).now()}).context["codes"]
    tenant = build_tenant("starter")
    for given in ({"slug": "other", "otp": codes[0]}, {"slug": tenant.slug, "otp": "000000"}):
        assert do(client, tenant, "delete", **given).status_code == 200
        assert fresh(tenant).status == Status.ACTIVE
    assert do(client, tenant, "delete", slug=tenant.slug, otp=codes[0]).status_code == 302
    flow = TenantWorkflow.objects.get(tenant=tenant, kind="delete")
    tasks.carry_on(str(flow.pk))
    assert fresh(tenant).status == Status.DELETED
    assert recorded(tenant, "tenant.deleted") == [f"system:staff:{person.email}"]
    assert "Its short name stays taken" in client.get(page_of(tenant)).content.decode()
    assert offered(client, tenant) == []


def test_a_code_that_let_somebody_in_does_not_delete(client: Client, person: User) -> None:
    tenant = build_tenant("starter")
    Authenticator.objects.filter(user=person).update(last_step=2**40)
    answer = do(client, tenant, "delete", slug=tenant.slug, otp="123456")
    assert answer.context["form"].non_field_errors()
    assert fresh(tenant).status == Status.ACTIVE


def test_a_deletion_that_failed_is_tried_again(client: Client) -> None:
    tenant = build_tenant("starter")
    flow = deletion.ask(tenant=tenant, by="system:test", now=now())
    TenantStep.objects.filter(workflow=flow, name="doors").update(state="failed", attempts=8)
    assert offered(client, tenant) == ["delete-again"]
    assert do(client, tenant, "delete-again").status_code == 302
    tasks.carry_on(str(flow.pk))
    assert fresh(tenant).status == Status.DELETED


def test_what_cannot_be_done_now_is_not_done(client: Client) -> None:
    tenant = build_tenant("starter")
    for change in changes.CHANGES:
        if change.code not in offered(client, tenant):
            answer = do(client, tenant, change.code, plan="pro", reason="x", slug=tenant.slug)
            assert answer["Location"] == page_of(tenant)
    assert fresh(tenant).status == Status.ACTIVE
    assert do(client, tenant, "no-such").status_code == 404
    nobody = Tenant(pk=uuid4())
    assert do(client, nobody, "resume").status_code == 404


def test_a_look_at_a_change_changes_nothing(client: Client) -> None:
    tenant = build_tenant("starter")
    for code in offered(client, tenant):
        page = client.get(f"/admin/tenants/tenant/{tenant.pk}/do/{code}/")
        assert b"What will happen" in page.content
    assert (fresh(tenant).status, fresh(tenant).tier) == (Status.ACTIVE, "starter")
    assert not TenantMove.objects.filter(tenant=tenant).exists()


def test_a_last_backup_is_announced_where_one_is_taken(client: Client, settings: Settings) -> None:
    tenant = build_tenant("starter")
    path = f"/admin/tenants/tenant/{tenant.pk}/do/delete/"
    announced = b"A last backup is taken first." in client.get(path).content
    assert announced == any("backup" in name for name, _ in settings.TENANT_STEPS["delete"])
    steps = (("last-backup", "x.y"), *settings.TENANT_STEPS["delete"])
    settings.TENANT_STEPS = {**settings.TENANT_STEPS, "delete": steps}
    assert b"A last backup is taken first." in client.get(path).content


def test_a_plan_is_named_by_who_changed_it(client: Client, person: User) -> None:
    plan = Plan.objects.get(code="starter")
    plan.pk = f"p{uuid4().hex[:8]}"
    plan.save(force_insert=True)
    form = {f.name: getattr(plan, f.name) for f in Plan._meta.fields}
    client.post(f"/admin/tenants/plan/{plan.pk}/change/", {**form, "max_rows": "77"})
    event = PlatformEvent.objects.get(key=plan.pk, action="plan.changed")
    assert (event.actor, event.after) == (f"system:staff:{person.email}", {"max_rows": 77})


def test_the_time_zone_is_changed_and_the_tenant_hears_of_it(
    client: Client, person: User, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(trail.echo, "delay", lambda **said: told.append(said))
    tenant = house.tenant
    assert do(client, tenant, "time-zone", time_zone="Mars/Olympus").status_code == 200
    assert told == []
    assert do(client, tenant, "time-zone", time_zone="Asia/Tokyo").status_code == 302
    assert "<dd>Asia/Tokyo</dd>" in client.get(page_of(tenant)).content.decode()
    assert recorded(tenant, "tenant.policy_changed") == [f"system:staff:{person.email}"]
    trail.echo(**told[0])
    events = house.olga.get("audit-log/?action=tenant.policy_changed").json()["results"]
    assert [event["after"] for event in events] == [{"time_zone": "Asia/Tokyo"}]
