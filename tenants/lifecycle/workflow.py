"""What takes several steps to do to a tenant: each is recorded, and taken up again if it dies.

Which steps there are is a setting: the ground floor knows neither people nor backups. A step is a
function that may run twice; its `done` is committed with what it did where that is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from tenants.lifecycle import attempts, faults, hands
from tenants.lifecycle.errors import StepFailed, WorkUnderWay
from tenants.models import Tenant, TenantStep, TenantWorkflow

State = TenantStep.State
Report = Callable[[str], None]

MOST_ATTEMPTS = attempts.MOST
_KILLED = "killed: Whoever ran this step was ended each time."


@dataclass(frozen=True, slots=True)
class Work:
    """What a step is told."""

    workflow: TenantWorkflow
    now: datetime
    report: Report
    password: str = ""  # of an owner whom nobody knows yet; not stored, so a worker has none

    @property
    def tenant(self) -> Tenant:
        return self.workflow.tenant


Act = Callable[[Work], None]


def in_one_commit(act: Act) -> Act:
    """Marks a step that writes on the platform alone: it is committed together with its `done`."""
    act.is_one_commit = True  # type: ignore[attr-defined]  # read where it is taken
    return act


def begin(
    *,
    tenant: Tenant,
    kind: TenantWorkflow.Kind,
    by: str,
    now: datetime,
    owner_email: str = "",
) -> TenantWorkflow:
    """Store what is wanted, with its steps, in the caller's transaction; `run` does it."""
    workflow = TenantWorkflow(
        tenant=tenant, kind=kind, by=by, owner_email=owner_email, asked_at=now
    )
    workflow.save(force_insert=True)
    _store_steps(workflow)
    return workflow


def run(
    workflow: TenantWorkflow,
    *,
    now: datetime,
    report: Report,
    password: str = "",
    is_anew: bool = False,
) -> None:
    """Do what is left of it, in order. `is_anew` tries what has failed for good once more.

    Raises StepFailed, WorkUnderWay, OwnerLoginMissing; the same again goes on with it.
    """
    with hands.held(f"workflow {workflow.tenant_id}", refusal=WorkUnderWay):
        if is_anew:
            try_again(workflow)
        if not TenantWorkflow.objects.filter(pk=workflow.pk, finished_at=None).exists():
            return
        _store_steps(workflow)
        work = Work(workflow, now, report, password)
        for name, act in _acts(workflow.kind):
            _take(work, name, act)
        TenantWorkflow.objects.filter(pk=workflow.pk).update(finished_at=Now())


def try_again(workflow: TenantWorkflow) -> None:
    """Let what has failed for good be tried as often once more."""
    failed = TenantStep.objects.filter(workflow=workflow, state=State.FAILED)
    failed.update(state=State.WAITING, attempts=0)


def carry_on(workflow_id: UUID, *, now: datetime) -> None:
    """Do what is left of it, unless somebody is at it, or nothing is. Raises StepFailed."""
    rows = TenantWorkflow.objects.select_related("tenant__plan")
    workflow = rows.filter(pk=workflow_id, finished_at=None).first()
    if workflow is None or standing(workflow).has_failed:
        return
    try:
        run(workflow, now=now, report=lambda _line: None)
    except WorkUnderWay:
        return


def due(*, now: datetime) -> list[TenantWorkflow]:
    """Those that stand still: their task was lost, their runner killed, or a step has to be tried
    again. What has failed for good waits for somebody."""
    return [found.workflow for found in unfinished() if found.is_due(now)]


def unfinished() -> list[Standing]:
    """All that is not done, the oldest first."""
    under_way = TenantWorkflow.objects.filter(finished_at=None).order_by("asked_at", "id")
    known = under_way.select_related("tenant").prefetch_related("steps")
    return [standing(workflow) for workflow in known]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a workflow has come: the first step that is not done, None after the last."""

    workflow: TenantWorkflow
    step: TenantStep | None

    @property
    def has_failed(self) -> bool:
        return self.step is not None and self.step.state == State.FAILED

    def is_due(self, now: datetime) -> bool:
        if self.has_failed:
            return False
        last = (self.step and self.step.started_at) or self.workflow.asked_at
        return now >= last + attempts.pause(self.step.attempts if self.step else 0)


def standing(workflow: TenantWorkflow) -> Standing:
    """Where it stands now."""
    steps = {step.name: step for step in workflow.steps.all()}
    known = [steps[name] for name, _ in _paths(workflow.kind) if name in steps]
    return Standing(workflow, next((step for step in known if step.state != State.DONE), None))


def _take(work: Work, name: str, act: Act) -> None:
    """One step, unless it is done. Raises StepFailed, or WorkUnderWay where it is gone with its
    workflow, since somebody has begun to delete what is being made."""
    step = TenantStep.objects.filter(workflow=work.workflow, name=name).first()
    if step is None:
        raise WorkUnderWay
    if step.state == State.DONE:
        return
    _claim(step)
    try:
        with _commit_of(act):
            act(work)
            _note_done(step)
    except WorkUnderWay:
        raise
    except Exception as fault:
        raise _failed(step, fault) from fault


def _claim(step: TenantStep) -> None:
    """By comparing and setting, beside the lock, which goes with its connection."""
    if step.attempts >= MOST_ATTEMPTS:
        step.error = step.error or _KILLED
        TenantStep.objects.filter(pk=step.pk).update(state=State.FAILED, error=step.error)
        raise StepFailed(f"{step.name}: {step.error}")
    as_seen = TenantStep.objects.filter(pk=step.pk, state=step.state, attempts=step.attempts)
    if not as_seen.update(state=State.RUNNING, attempts=F("attempts") + 1, started_at=Now()):
        raise WorkUnderWay
    step.attempts += 1


def _commit_of(act: Act) -> AbstractContextManager[Any]:
    return transaction.atomic() if getattr(act, "is_one_commit", False) else nullcontext()


def _note_done(step: TenantStep) -> None:
    """The last step of a deletion has taken its own row away. Raises WorkUnderWay where somebody
    else has begun the step anew."""
    known = TenantStep.objects.filter(pk=step.pk)
    ours = known.filter(state=State.RUNNING, attempts=step.attempts)
    if not ours.update(state=State.DONE, finished_at=Now(), error="") and known.exists():
        raise WorkUnderWay


def _failed(step: TenantStep, fault: Exception) -> StepFailed:
    said = faults.sentence(fault)
    is_last = step.attempts >= MOST_ATTEMPTS
    ours = TenantStep.objects.filter(pk=step.pk, attempts=step.attempts)
    ours.update(state=State.FAILED if is_last else State.WAITING, error=said)
    return StepFailed(f"{step.name}: {said}")


def _store_steps(workflow: TenantWorkflow) -> None:
    """A release may have more of them than the one that began."""
    known = set(TenantStep.objects.filter(workflow=workflow).values_list("name", flat=True))
    missing = [name for name, _ in _paths(workflow.kind) if name not in known]
    TenantStep.objects.bulk_create(TenantStep(workflow=workflow, name=name) for name in missing)


def _acts(kind: str) -> list[tuple[str, Act]]:
    return [(name, import_string(path)) for name, path in _paths(kind)]


def _paths(kind: str) -> list[tuple[str, str]]:
    return list(settings.TENANT_STEPS[kind])
