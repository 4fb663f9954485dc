"""Where a tenant stands: what is being done to it, step by step, and what may be done next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from tenants.lifecycle import workflow
from tenants.models import Tenant, TenantMove, TenantStep, TenantWorkflow
from tenants.moving.phases import STEPS, Phase

Kind, State = TenantWorkflow.Kind, TenantStep.State
_SHOWN_FOR = timedelta(hours=1)  # after its end
_TITLES = {Kind.PROVISION: "Making the tenant", Kind.DELETE: "Deleting the tenant"}
_WORDS = {
    "schema": "Make its tables",
    "open": "Open its door",
    "owner": "Give it to its owner",
    "welcome": "Send the welcome mail",
    "doors": "End all sessions",
    "rows": "Remove all rows",
    "open-orders": "Forget its open orders",
    "exchanges": "Forget its exchanges",
    "people": "Remove memberships and keys",
    "traces": "Empty caches and files",
    "end": "Keep the name, and nothing else",
    "first-backup": "Take a first backup",
    "last-backup": "Take a last backup",
    Phase.NOTING: "Note what changes from now on",
    Phase.COPIED: "Copy all rows",
    Phase.VERIFIED: "Compare both sides",
    Phase.SWITCHED: "Switch over",
    Phase.RELEASED: "Remove the old rows",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of progress; `state` is waiting, running, done or failed."""

    words: str
    state: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """Something that is being done, or was a moment ago."""

    title: str
    by: str
    began_at: datetime
    finished_at: datetime | None
    steps: tuple[Step, ...]

    @property
    def has_failed(self) -> bool:
        return any(step.state == State.FAILED for step in self.steps)

    @property
    def percent(self) -> int:
        done = sum(step.state == State.DONE for step in self.steps)
        return 100 * done // max(len(self.steps), 1)


@dataclass(frozen=True, slots=True)
class Situation:
    """A tenant with all that is under way."""

    tenant: Tenant
    workflow: TenantWorkflow | None  # that is not finished
    move: TenantMove | None  # that is not finished
    works: tuple[Work, ...]

    @property
    def is_under_way(self) -> bool:
        """Whether it changes without anybody doing anything: a failed step waits for somebody."""
        return any(work.finished_at is None and not work.has_failed for work in self.works)

    @property
    def has_failed(self) -> bool:
        return any(work.finished_at is None and work.has_failed for work in self.works)


def of(tenant: Tenant, *, now: datetime) -> Situation:
    """As it is now."""
    since = now - _SHOWN_FOR
    flows = [flow for flow in tenant.workflows.order_by("asked_at") if _is_shown(flow, since)]
    moves = [move for move in _moves(tenant) if _is_shown(move, since)]
    works = [*(_of_workflow(flow) for flow in flows), *(_of_move(move) for move in moves)]
    return Situation(
        tenant=tenant,
        workflow=next((flow for flow in flows if flow.finished_at is None), None),
        move=next((move for move in moves if move.finished_at is None), None),
        works=tuple(reversed(works)),
    )


def deletes_after_a_backup() -> bool:
    """Whether a deletion begins with one."""
    return any("backup" in name for name, _ in settings.TENANT_STEPS[Kind.DELETE])


def _moves(tenant: Tenant) -> Iterator[TenantMove]:
    yield from tenant.moves.select_related("plan").order_by("begun_at")


def _is_shown(work: Any, since: datetime) -> bool:
    return work.finished_at is None or work.finished_at > since


def _of_workflow(flow: TenantWorkflow) -> Work:
    known = {step.name: step for step in flow.steps.all()}
    names = [name for name, _ in settings.TENANT_STEPS[flow.kind] if name in known]
    steps = tuple(_step(known[name]) for name in names)
    return Work(_TITLES[Kind(flow.kind)], flow.by, flow.asked_at, flow.finished_at, steps)


def _step(step: TenantStep) -> Step:
    told = ""
    if step.state == State.DONE and step.started_at and step.finished_at:
        told = _seconds((step.finished_at - step.started_at).total_seconds())
    elif step.error:
        told = f"{step.error} (attempt {step.attempts} of {workflow.MOST_ATTEMPTS})"
    return Step(_words(step.name), step.state, told)


def _of_move(move: TenantMove) -> Work:
    """Its phases: the first that is not done is running, or was broken off; one that was given up
    has none, or the one that takes it back."""
    if move.phase == Phase.ABANDONED or move.given_up_by:
        return _of_given_up(move)
    done = {step["phase"]: step for step in move.steps}
    steps: list[Step] = []
    for phase, _ in STEPS:
        state = State.DONE if phase in done else State.WAITING
        is_first = state == State.WAITING and not any(s.state != State.DONE for s in steps)
        if is_first and move.finished_at is None:
            state = State.FAILED if move.error else State.RUNNING
        told = _took(done[phase]) if phase in done else move.error if is_first else ""
        steps.append(Step(_words(phase), state, told))
    where = "a schema of its own" if move.is_to_dedicated else "the shared tables"
    title = f"Moving the tenant to {where}, and to {move.plan.name}"
    return Work(title, move.by, move.begun_at, move.finished_at, tuple(steps))


def _of_given_up(move: TenantMove) -> Work:
    title = "A move was given up: the tenant stays where it was"
    steps: list[Step] = []
    if move.finished_at is None:
        title = "A move is being given up: the tenant stays where it is"
        state = State.FAILED if move.error else State.RUNNING
        steps = [Step("Take back what was copied", state, move.error)]
    return Work(title, move.given_up_by, move.begun_at, move.finished_at, tuple(steps))


def _took(step: dict[str, Any]) -> str:
    rows = f", {step['rows']:,} rows" if step.get("rows") else ""
    return _seconds(step["seconds"]) + rows


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds * 1000:.0f} ms"


def _words(name: str) -> str:
    return _WORDS.get(name, name.replace("-", " ").capitalize())
