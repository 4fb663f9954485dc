"""Steps that break off where a test says, and workers that are killed in the midst of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from django.conf import settings

from tenants.lifecycle import tasks, workflow
from tenants.lifecycle.workflow import Act, Work
from tenants.models import TenantStep, TenantWorkflow
from tests.scenarios.processes import kill_all_of, until, working

MOMENTS = ("before", "after")


class Broken(Exception):
    """What a test breaks a step off with. Its words are none of ours: "secret" is to stay here."""


def names(kind: str) -> list[str]:
    return [name for name, _ in settings.TENANT_STEPS[kind]]


@contextmanager
def broken(step: str, moment: str) -> Iterator[None]:
    """With a step that breaks off before or after it has done its part."""

    def act_on(act: Act) -> Act:
        def both(work: Work) -> None:
            if moment == "after":
                act(work)
            raise Broken("secret")

        return _like(act, both)

    with changed(step, act_on):
        yield


@contextmanager
def changed(step: str, change: Callable[[Act], Act]) -> Iterator[None]:
    """With another function for a step."""
    acts = workflow._acts

    def changed_acts(kind: str) -> list[tuple[str, Act]]:
        return [(name, change(act) if name == step else act) for name, act in acts(kind)]

    with mock.patch.object(workflow, "_acts", changed_acts):
        yield


def kill_in(step: str, moment: str, asked: TenantWorkflow, folder: Path) -> None:
    """Have a worker begin the workflow, and kill it while it stands still in a step."""
    halted = folder / "halted"
    variables = {
        "DJANGO_SETTINGS_MODULE": "tests.tenants.lifecycle.halting_settings",
        "HALT_AT": f"{step}:{moment}",
        "HALT_FILE": str(halted),
    }
    with working(settings.OPERATORS_QUEUE, folder / "killed.log", **variables) as worker:
        tasks.carry_on.delay(str(asked.pk))
        until(halted.exists)
        kill_all_of(worker)


def state(asked: TenantWorkflow, step: str) -> TenantStep:
    return TenantStep.objects.get(workflow=asked, name=step)


def _like(act: Act, other: Act) -> Act:
    other.is_one_commit = getattr(act, "is_one_commit", False)
    return other
