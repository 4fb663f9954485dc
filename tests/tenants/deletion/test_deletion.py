"""A deleted tenant is nobody: nothing of it is left, and nothing of anybody else is missing."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError
from django.test import Client

from accounts.access.models import Membership
from accounts.trail.models import PlatformEvent
from accounts.users.models import User
from tenants.deletion import actions as deletion
from tenants.errors import TenantSuspended, UnknownTenant
from tenants.lifecycle import actions as lifecycle
from tenants.lifecycle import emergency, workflow
from tenants.lifecycle.errors import NotDeletable, WorkUnderWay
from tenants.lifecycle.workflow import Act, Work
from tenants.models import Domain, Tenant, TenantMove, TenantWorkflow
from tenants.moving import actions as moving
from tenants.moving.errors import NotMovable
from tests.accounts.doors import call, post
from tests.accounts.test_members import told
from tests.accounts.test_suspension import key, log_in, watched
from tests.cast import House, job, now
from tests.market import Market, list_instrument
from tests.scenarios.processes import until
from tests.tenants.deletion import remains
from tests.tenants.lifecycle.breaking import MOMENTS, broken, changed, kill_in, names, state
from tests.tenants.lifecycle.test_commands import run
from tests.tenants.lifecycle.test_workflow import ask, listed, slug, worker, workflow_tasks
from tests.tenants.moving.movers import trade

STEPS = ["doors", "last-backup", "rows", "open-orders", "exchanges", "people", "traces", "end"]
# In a campaign each, here the one whose work no transaction of ours holds.
KILLED = [(s, m) for s in STEPS for m in MOMENTS] if "STEP_KILLS" in os.environ else []


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def live_in(house: House, market: Market) -> str:
    """Whatever a tenant may have; gives an API key of it."""
    tenant = house.tenant
    trade(house.alice, market)
    trade(house.mallory, market)
    program = key(house.alice)
    log_in(house.alice)
    watched(house)
    house.olga.post("invitations/", {"email": "new@x.example", "role": "trader"})
    Domain.objects.create(tenant=tenant, domain=f"www.{tenant.slug}.example")
    with job(tenant):
        cache.set("kept", 1)
        default_storage.save("kept.txt", ContentFile(b"kept"))
    emergency.lock(tenant=tenant, by="system:test", now=now())
    return program


def delete(house: House) -> Any:
    return json.loads(run("delete_tenant", house.tenant.slug, "--yes", "--json"))


def check_is_gone(house: House) -> None:
    tenant = Tenant.objects.get(pk=house.tenant.pk)
    assert (tenant.status, tenant.slug) == ("deleted", house.tenant.slug)
    assert remains.mentions(tenant) <= remains.KEPT
    assert remains.keys(tenant) == []
    assert not remains.has_files(tenant)
    assert not remains.has_schema(tenant)


def test_the_steps_are_those_that_are_tried_here() -> None:
    assert names("delete") == STEPS


def test_nothing_is_left_and_nothing_of_a_neighbour_is_missing(
    house: House, market: Market
) -> None:
    live_in(house, market)
    theirs = remains.rows(house.mallory.tenant)
    assert len(remains.mentions(house.tenant)) > 15
    assert len(remains.keys(house.tenant)) > 2
    assert remains.has_files(house.tenant)
    assert delete(house)["changed"] is True
    check_is_gone(house)
    assert remains.rows(house.mallory.tenant) == theirs
    assert house.mallory.get("orders/").status_code == 200
    assert User.objects.filter(pk=house.alice.user_id, is_active=True).exists()


def test_who_deleted_it_and_when_stays_in_the_platforms_trail(house: House) -> None:
    delete(house)
    events = PlatformEvent.objects.filter(key=house.tenant.slug).order_by("at", "id")
    actions = list(events.values_list("action", "actor"))
    assert actions[-2:] == [
        ("tenant.deletion_begun", "system:delete_tenant"),
        ("tenant.deleted", "system:delete_tenant"),
    ]


def test_a_deleted_tenant_answers_as_one_that_never_was(house: House, market: Market) -> None:
    program = live_in(house, market)
    token = f"Bearer {log_in(house.bob).json()['access']}"
    delete(house)
    taken, unknown = (_asked(f"/t/{name}/api/v1/orders/") for name in (house.tenant.slug, slug()))
    assert taken == unknown
    assert taken[0] == 404
    host = _asked("/api/v1/orders/", HTTP_HOST=f"www.{house.tenant.slug}.example")
    assert host == _asked("/api/v1/orders/", HTTP_HOST="www.nobody.example")
    assert told(call("GET", "orders/", credential=program)) == (401, "invalid_credential")
    assert call("GET", "orders/", credential=token).status_code in (401, 404)
    assert told(log_in(house.alice)) == (403, "no_tenant")
    assert told(log_in(house.alice, tenant=house.tenant.slug)) == (401, "wrong_login")
    with pytest.raises(UnknownTenant), job(house.tenant):
        Tenant.objects.exists()


def test_its_slug_stays_taken(house: House) -> None:
    delete(house)
    body = {"email": f"{slug()}@new.example", "password": "Correct-horse-7"}
    answer = post("auth/signup/", {**body, "tenant": house.tenant.slug})
    assert told(answer) == (409, "slug_taken")
    with pytest.raises(CommandError, match="slug_taken"):
        run("create_tenant", house.tenant.slug, "--tier", "starter", "--owner", "o@x.example")


def test_it_is_listed_only_to_who_asks_for_all(house: House) -> None:
    delete(house)
    assert house.tenant.slug not in run("list_tenants")
    assert house.tenant.slug in run("list_tenants", "--all")


def test_twice_changes_nothing_and_without_a_yes_nothing_happens(house: House) -> None:
    with pytest.raises(CommandError, match="--yes"):
        run("delete_tenant", house.tenant.slug)
    assert house.alice.get("orders/").status_code == 200
    assert delete(house)["changed"] is True
    assert delete(house)["changed"] is False
    with pytest.raises(CommandError, match="no tenant"):
        run("delete_tenant", slug(), "--yes")


@pytest.mark.by_turns
@pytest.mark.parametrize("step", STEPS)
def test_a_deletion_that_breaks_off_is_seen_and_ended_by_the_same_command(
    house: House, market: Market, step: str
) -> None:
    """Before it does its part, then after, and then not at all."""
    trade(house.alice, market)
    theirs = remains.rows(house.mallory.tenant)
    for moment in MOMENTS:
        with broken(step, moment), pytest.raises(CommandError, match=f"{step}: internal: Broken"):
            delete(house)
        stands = listed(house.tenant.slug)
        assert (stands["status"], stands["unfinished"]["step"]) == ("deleting", step)
        with pytest.raises(TenantSuspended), job(house.tenant):
            Tenant.objects.exists()
    delete(house)
    check_is_gone(house)
    assert remains.rows(house.mallory.tenant) == theirs


@pytest.mark.by_turns
@pytest.mark.parametrize(("step", "moment"), KILLED or [("rows", "after")])
def test_a_deletion_whose_worker_is_killed_is_taken_up(
    house: House, market: Market, step: str, moment: str, tmp_path: Path
) -> None:
    trade(house.alice, market)
    asked = deletion.ask(tenant=house.tenant, by="system:test", now=now())
    kill_in(step, moment, asked, tmp_path)
    assert state(asked, step).state == "running"
    assert asked in workflow.due(now=now() + timedelta(minutes=20))
    with worker(tmp_path):
        workflow_tasks().carry_on.delay(str(asked.pk))
        until(lambda: Tenant.objects.get(pk=house.tenant.pk).status == "deleted")
    check_is_gone(house)


@pytest.mark.by_turns
def test_a_worker_deletes_what_it_is_asked_to(house: House, tmp_path: Path) -> None:
    with worker(tmp_path):
        deletion.start(tenant=house.tenant, by="system:test", now=now())
        until(lambda: Tenant.objects.get(pk=house.tenant.pk).status == "deleted")
    check_is_gone(house)


def test_a_session_that_slipped_in_goes_too(house: House) -> None:
    deletion.ask(tenant=house.tenant, by="system:test", now=now())
    with broken("end", "before"), pytest.raises(CommandError):
        delete(house)
    Membership.objects.create(
        tenant=house.tenant, user_id=house.bob.user_id, role="trader", created_at=now()
    )
    delete(house)
    check_is_gone(house)


def test_a_tenant_on_the_move_is_not_deleted_and_one_that_goes_is_not_moved(house: House) -> None:
    move = TenantMove.objects.create(
        tenant=house.tenant, placement="dedicated", plan_id="enterprise", begun_at=now()
    )
    with pytest.raises(CommandError, match="tenant_not_deletable"):
        delete(house)
    assert house.alice.get("orders/").status_code == 200
    move.delete()
    deletion.ask(tenant=house.tenant, by="system:test", now=now())
    plan = "pro" if house.tier == "enterprise" else "enterprise"
    with pytest.raises(NotMovable):
        moving.begin(tenant=house.tenant, plan=plan, by="system:test", now=now())


@pytest.mark.parametrize("step", ["schema", "open"])
def test_one_that_is_not_ready_can_be_deleted(tier: str, step: str) -> None:
    name = slug()
    asked = ask(name, tier)
    with broken(step, "before"), pytest.raises(CommandError):
        run("provision_tenant", name)
    run("delete_tenant", name, "--yes")
    tenant = Tenant.objects.get(slug=name)
    assert (tenant.status, remains.has_schema(tenant)) == ("deleted", False)
    assert not TenantWorkflow.objects.filter(pk=asked.pk).exists()
    workflow.carry_on(asked.pk, now=now())
    assert lifecycle.unfinished(tenant) is None


def test_one_in_the_making_is_not_finished_once_it_is_to_go(tier: str) -> None:
    name = slug()
    asked = ask(name, tier)

    def overtaken(act: Act) -> Act:
        def both(work: Work) -> None:
            act(work)
            deletion.ask(tenant=work.tenant, by="system:test", now=now())

        return both

    with changed("schema", overtaken), pytest.raises(WorkUnderWay):
        workflow.run(asked, now=now(), report=[].append)
    assert Tenant.objects.get(slug=name).status == "deleting"
    run("delete_tenant", name, "--yes")
    assert not remains.has_schema(Tenant.objects.get(slug=name))


def test_rows_of_one_that_is_not_to_go_are_refused(house: House) -> None:
    """The last thing between a fault of ours and a tenant's only rows."""
    asked = deletion.ask(tenant=house.tenant, by="system:test", now=now())
    Tenant.objects.filter(pk=house.tenant.pk).update(status="active")
    with pytest.raises(CommandError, match="tenant_not_deletable: The tenant is active"):
        delete(house)
    assert TenantWorkflow.objects.filter(pk=asked.pk).exists()
    assert house.bob.get("accounts/").status_code == 200


def test_nobody_who_is_gone_is_deleted_anew(house: House) -> None:
    delete(house)
    with pytest.raises(NotDeletable):
        deletion.ask(tenant=house.tenant, by="system:test", now=now())


def _asked(path: str, **more: Any) -> tuple[int, Any]:
    answer = Client(raise_request_exception=False).get(path, **more)
    said = answer.json()
    return answer.status_code, {name: said[name] for name in ("code", "title", "detail")}
