"""A tenant is made in steps: each broken off anywhere, taken up again, and never silent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError
from django.db import connections
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from accounts.access.models import Invitation, Membership
from accounts.trail.models import PlatformEvent
from accounts.users import actions as users
from tenants.lifecycle import actions as lifecycle
from tenants.lifecycle import workflow
from tenants.lifecycle.errors import MadeOtherwise, SlugTaken, StepFailed, WorkUnderWay
from tenants.lifecycle.workflow import Act, Work
from tenants.models import Tenant, TenantStep, TenantWorkflow
from tests.cast import PASSWORD, build_tenant, now
from tests.isolation.database import connected
from tests.scenarios.processes import until, working
from tests.tenants.lifecycle.breaking import MOMENTS, broken, changed, kill_in, names, state
from tests.tenants.lifecycle.test_commands import run

STEPS = ["schema", "first-backup", "open", "owner", "welcome"]
# In a campaign each, here the one whose work no transaction of ours holds.
KILLED = [(s, m) for s in STEPS for m in MOMENTS] if "STEP_KILLS" in os.environ else []


def slug() -> str:
    return f"w{uuid4().hex[:12]}"


def ask(name: str, tier: str = "starter", **more: Any) -> TenantWorkflow:
    terms = {"owner_email": f"o@{name}.example", "by": "system:test", "now": now(), **more}
    return lifecycle.ask_for_tenant(slug=name, name=name, tier=tier, **terms)


def go_on(asked: TenantWorkflow, **more: Any) -> None:
    workflow.run(asked, now=now(), report=[].append, **more)


def create(name: str, tier: str) -> Any:
    owner = f"o@{name}.example"
    return json.loads(run("create_tenant", name, "--tier", tier, "--owner", owner, "--json"))


def listed(name: str) -> Any:
    found = json.loads(run("list_tenants", "--json"))["tenants"]
    return next(tenant for tenant in found if tenant["slug"] == name)


def schemas(tenant: Tenant) -> int:
    with connected("DATABASE_SUPERUSER_URL") as database:
        query = "SELECT count(*) FROM pg_namespace WHERE nspname = %s"
        return int(database.execute(query, [tenant.schema_name]).fetchone()[0])


def check_is_ready(name: str, tier: str) -> None:
    """Everything is there, and once."""
    tenant = Tenant.objects.get(slug=name)
    assert (tenant.status, schemas(tenant)) == ("active", int(tier == "enterprise"))
    assert listed(name)["unfinished"] is None
    assert PlatformEvent.objects.filter(key=name, action="tenant.created").count() == 1
    owners = Membership.objects.filter(tenant=tenant).count()
    assert owners + Invitation.objects.filter(tenant=tenant).count() == 1


def test_the_steps_are_those_that_are_tried_here() -> None:
    assert names("provision") == STEPS


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_breaks_off_is_seen_and_mended_by_the_same_command(
    tier: str, step: str
) -> None:
    """Before it does its part, then after, and then not at all."""
    name = slug()
    for attempts, moment in enumerate(MOMENTS, 1):
        with broken(step, moment), pytest.raises(CommandError, match=f"{step}: internal: Broken"):
            create(name, tier)
        stands = listed(name)["unfinished"]
        assert (stands["step"], stands["state"], stands["attempts"]) == (step, "waiting", attempts)
        assert stands["error"] == "internal: Broken"
    assert f"provision {step}: waiting internal: Broken" in run("list_tenants")
    create(name, tier)
    check_is_ready(name, tier)


@pytest.mark.by_turns
@pytest.mark.parametrize(("step", "moment"), KILLED or [("schema", "after")])
def test_a_killed_workers_step_is_taken_up(
    tier: str, step: str, moment: str, tmp_path: Path
) -> None:
    name = slug()
    asked = ask(name, tier)
    kill_in(step, moment, asked, tmp_path)
    assert state(asked, step).state == "running"
    later = now() + timedelta(minutes=20)
    assert asked in workflow.due(now=later)
    with worker(tmp_path):
        workflow_tasks().carry_on.delay(str(asked.pk))
        until(lambda: TenantWorkflow.objects.get(pk=asked.pk).finished_at)
    assert state(asked, step).attempts == 2
    check_is_ready(name, tier)


@pytest.mark.by_turns
def test_a_worker_makes_what_was_asked_for(tier: str, tmp_path: Path) -> None:
    name = slug()
    with worker(tmp_path):
        asked = lifecycle.start_provisioning(
            slug=name,
            name=name,
            tier=tier,
            owner_email=f"o@{name}.example",
            by="system:test",
            now=now(),
        )
        until(lambda: TenantWorkflow.objects.get(pk=asked.pk).finished_at)
    check_is_ready(name, tier)
    invitation = Invitation.objects.get(tenant__slug=name)
    assert (invitation.email, invitation.role) == (f"o@{name}.example", "owner")


def test_an_owner_who_is_known_is_one_at_once() -> None:
    name = slug()
    users.ensure(email=f"o@{name}.example", password=PASSWORD, now=now())
    go_on(ask(name))
    member = Membership.objects.get(tenant__slug=name)
    assert (member.email, member.role) == (f"o@{name}.example", "owner")


def test_of_two_runners_one_does_it() -> None:
    asked = ask(slug())
    inside, may_end = Event(), Event()
    acted = []

    def slow(act: Act) -> Act:
        def both(work: Work) -> None:
            acted.append(work)
            inside.set()
            assert may_end.wait(30)
            act(work)

        return both

    with changed("schema", slow), ThreadPoolExecutor(1) as pool:
        first = pool.submit(_apart, asked)
        assert inside.wait(30)
        with pytest.raises(WorkUnderWay):
            go_on(asked)
        workflow.carry_on(asked.pk, now=now())
        may_end.set()
        first.result()
    assert len(acted) == 1
    assert TenantWorkflow.objects.get(pk=asked.pk).finished_at


def test_a_step_begun_anew_by_somebody_else_is_not_done_by_the_first() -> None:
    """Whose lock went with its connection; what it did then is rolled back."""
    name = slug()
    asked = ask(name)

    def outrun(act: Act) -> Act:
        def both(work: Work) -> None:
            act(work)
            step = TenantStep.objects.filter(workflow=work.workflow, name="open")
            step.update(attempts=7)

        both.is_one_commit = True
        return both

    with changed("open", outrun), pytest.raises(WorkUnderWay):
        go_on(asked)
    assert Tenant.objects.get(slug=name).status == "provisioning"


def test_what_fails_again_and_again_waits_for_somebody() -> None:
    name = slug()
    asked = ask(name)
    with broken("open", "before"):
        for _ in range(workflow.MOST_ATTEMPTS):
            with pytest.raises(StepFailed):
                workflow.carry_on(asked.pk, now=now())
        workflow.carry_on(asked.pk, now=now())
    failed = state(asked, "open")
    assert (failed.state, failed.attempts) == ("failed", workflow.MOST_ATTEMPTS)
    assert asked not in workflow.due(now=now() + timedelta(days=1))
    assert listed(name)["unfinished"]["state"] == "failed"
    assert json.loads(run("provision_tenant", name, "--json"))["changed"] is True
    check_is_ready(name, "starter")
    assert json.loads(run("provision_tenant", name, "--json"))["changed"] is False


def test_a_step_that_kills_whoever_runs_it_is_given_up() -> None:
    asked = ask(slug())
    step = state(asked, "schema")
    step.state, step.attempts = "running", workflow.MOST_ATTEMPTS
    step.save(update_fields=["state", "attempts"])
    with pytest.raises(StepFailed, match="killed"):
        go_on(asked)
    assert state(asked, "schema").state == "failed"


def test_tries_come_slower_and_slower() -> None:
    asked = ask(slug())
    assert asked not in workflow.due(now=now())
    assert asked in workflow.due(now=now() + timedelta(seconds=31))
    with broken("schema", "before"), pytest.raises(StepFailed):
        go_on(asked)
    assert asked not in workflow.due(now=now() + timedelta(seconds=31))
    assert asked in workflow.due(now=now() + timedelta(seconds=61))
    TenantStep.objects.filter(workflow=asked).update(attempts=7)
    assert asked in workflow.due(now=now() + timedelta(minutes=11))


def test_however_many_stand_still_it_takes_two_questions() -> None:
    asked = [ask(slug()) for _ in range(3)]
    with CaptureQueriesContext(connections["default"]) as captured:
        found = workflow.unfinished()
    assert {one.workflow for one in found} >= set(asked)
    assert len({one.workflow.tenant.slug for one in found}) == len(found)
    assert len(captured) == 2
    assert all(one.step and one.step.name == "schema" for one in found if one.workflow in asked)


def test_a_release_with_a_step_more_does_it_too() -> None:
    asked = ask(slug())
    steps = settings.TENANT_STEPS
    more = (*steps["provision"], ("again", "tenants.lifecycle.making.make_schema"))
    with override_settings(TENANT_STEPS={**steps, "provision": more}):
        go_on(asked)
    assert state(asked, "again").state == "done"


def test_one_slug_is_made_on_one_set_of_terms() -> None:
    name = slug()
    asked = ask(name)
    assert ask(name) == asked
    others: list[dict[str, Any]] = [
        {"tier": "pro"},
        {"owner_email": "x@x.example"},
        {"region": "eu"},
    ]
    for other in others:
        with pytest.raises(MadeOtherwise):
            ask(name, **other)
    go_on(asked)
    with pytest.raises(SlugTaken):
        ask(name)


def test_one_made_by_halves_long_ago_gets_its_steps() -> None:
    tenant = build_tenant()
    Tenant.objects.filter(pk=tenant.pk).update(status="provisioning")
    go_on(ask(tenant.slug))
    assert Tenant.objects.get(pk=tenant.pk).status == "active"


def _apart(asked: TenantWorkflow) -> None:
    """In a thread, whose connections nobody else closes."""
    try:
        go_on(asked)
    finally:
        for connection in connections.all(initialized_only=True):
            connection.close()


@contextmanager
def worker(folder: Path) -> Iterator[None]:
    with working(settings.OPERATORS_QUEUE, folder / "operator.log"):
        yield


def workflow_tasks() -> Any:
    from tenants.lifecycle import tasks

    return tasks
