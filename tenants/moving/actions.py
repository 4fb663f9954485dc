"""Moving a tenant to a schema of its own, or back, while it goes on trading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from tenants import trail
from tenants.lifecycle import attempts, faults
from tenants.models import AFTER_THE_SWITCH, Tenant, TenantMove
from tenants.moving import exclusion, phases, planning
from tenants.moving.errors import MoveGivenUp, MoveUnderWay, MovingElsewhere, NotMovable
from tenants.moving.phases import Moving, Phase, Report

_ANEW: dict[str, Any] = {"error": "", "attempts": 0}
_UNKNOWN = "system:give_up"  # who gave up before that was written down


def move(*, tenant: Tenant, plan: str, by: str, now: datetime, report: Report) -> TenantMove:
    """Have the tenant live where its new plan says; one that is under way is taken up again.

    `by` is an actor's name; `report` is told of each phase. Raises UnknownPlan, NothingToMove,
    NotMovable, MovingElsewhere, MoveUnderWay, SchemasInUse, TenantIsBusy, RowsDiffer, SchemaDiffers
    or OwnerLoginMissing; the tenant then goes on where it is, and the same again goes on with it.
    Raises MoveGivenUp once what somebody has given up meanwhile is taken back.
    """
    with _faults_kept(tenant), exclusion.nobody_else(tenant.id):
        given_up = _open_move(tenant)
        if given_up is not None and _is_given_up(given_up):
            _take_back(given_up, now=now, report=report)
        return _carry(
            begin(tenant=tenant, plan=plan, by=by, now=now), by=by, now=now, report=report
        )


def go_on(*, under_way: TenantMove, by: str, now: datetime, report: Report) -> TenantMove:
    """The same with that very move and no other: one that was given up is taken back, and ends.

    Raises what `move` raises, and NotMovable for one that was tried often enough.
    """
    tenant = under_way.tenant
    with _faults_kept(tenant), exclusion.nobody_else(tenant.id):
        under_way.refresh_from_db()
        if under_way.finished_at is not None:
            return under_way
        if under_way.attempts >= attempts.MOST:
            raise NotMovable("Whoever carried its rows was ended each time.")
        if _is_given_up(under_way):
            return _take_back(under_way, now=now, report=report)
        return _carry(under_way, by=by, now=now, report=report)


def give_up(*, tenant: Tenant, by: str, now: datetime, report: Report) -> TenantMove:
    """Leave a tenant that is not switched yet where it is, and take back what was done.

    Raises NotMovable where no move is under way, or it is past the switch; OwnerLoginMissing; and
    MoveUnderWay where somebody is at it, who takes it back at the next piece of work.
    """
    asked = ask_to_give_up(tenant=tenant, by=by)
    try:
        with _faults_kept(tenant), exclusion.nobody_else(tenant.id):
            asked.refresh_from_db()
            return _take_back(asked, now=now, report=report)
    except MoveUnderWay as fault:
        raise MoveUnderWay("Who is at it takes it back at the next piece of work.") from fault


def begin(*, tenant: Tenant, plan: str, by: str, now: datetime) -> TenantMove:
    """The move that is under way, or else one that stands in the books and goes no further yet.

    Raises UnknownPlan, NothingToMove, NotMovable, MovingElsewhere.
    """
    return _under_way(tenant, plan) or _planned(tenant, plan, by=by, now=now)


def try_again(under_way: TenantMove) -> None:
    """Let what has broken off be tried as often once more."""
    TenantMove.objects.filter(pk=under_way.pk).update(**_ANEW)


def ask_to_give_up(*, tenant: Tenant, by: str) -> TenantMove:
    """Have it stand with the move, where whoever carries it looks. Raises NotMovable.

    Comes before the switch or not at all: that locks the same row, and asks.
    """
    found = _open_move(tenant)
    if found is not None:
        before = TenantMove.objects.filter(pk=found.pk, finished_at=None)
        if before.exclude(phase__in=AFTER_THE_SWITCH).update(**_ANEW, given_up_by=by):
            found.refresh_from_db()
            return found
    raise NotMovable("There is no move that could be given up.")


def _carry(under_way: TenantMove, *, by: str, now: datetime, report: Report) -> TenantMove:
    """Every phase that is not done. Raises MoveGivenUp when all that was is taken back.

    What was verified before it broke off is verified again: nobody knows how long ago that was.
    """
    _count_attempt(under_way)
    done = [phase for phase, _ in phases.STEPS]
    last = Phase(under_way.phase)
    at = done.index(last) + (last != Phase.VERIFIED) if last in done else 0
    moving = Moving(under_way, phases.route_of(under_way), report, now)
    try:
        for _, step in phases.STEPS[at:]:
            step(moving)
    except MoveGivenUp:
        under_way.refresh_from_db()
        _take_back(under_way, now=now, report=report)
        raise
    return _finish(under_way, by=by, now=now)


def _count_attempt(under_way: TenantMove) -> None:
    tried: dict[str, Any] = {"attempts": F("attempts") + 1, "tried_at": Now(), "error": ""}
    TenantMove.objects.filter(pk=under_way.pk).update(**tried)


def _is_given_up(found: TenantMove) -> bool:
    """Also one whose giving up was broken off before it was finished."""
    return bool(found.given_up_by) or found.phase == Phase.ABANDONED


def _take_back(given_up: TenantMove, *, now: datetime, report: Report) -> TenantMove:
    """As who has asked for it; one that is taken back already only has to be said to be over."""
    if given_up.finished_at is None and given_up.phase != Phase.ABANDONED:
        _count_attempt(given_up)
        phases.withdraw(Moving(given_up, phases.route_of(given_up), report, now))
    return _finish(given_up, by=given_up.given_up_by or _UNKNOWN, now=now)


def _planned(tenant: Tenant, plan: str, *, by: str, now: datetime) -> TenantMove:
    """The tenant's row is locked, so that nobody begins to delete it meanwhile."""
    with transaction.atomic():
        locked = Tenant.objects.select_for_update().get(pk=tenant.pk)
        if (found := _under_way(tenant, plan)) is not None:
            return found  # somebody was quicker
        planned = planning.planned(locked, plan, now=now)
        planned.by = by
        planned.save(force_insert=True)
        _record("tenant.move_begun", planned, by)
    return planned


def _under_way(tenant: Tenant, plan: str) -> TenantMove | None:
    """The move that is not finished. Raises MovingElsewhere for one to another plan, and
    NotMovable for one that is given up."""
    found = _open_move(tenant)
    if found is not None and found.plan_id != plan:
        raise MovingElsewhere(f"{tenant.slug} is on its way to {found.plan_id}.")
    if found is not None and _is_given_up(found):
        raise NotMovable(f"The last move of {tenant.slug} is being given up.")
    return found


def _open_move(tenant: Tenant) -> TenantMove | None:
    rows = TenantMove.objects.select_related("tenant", "plan")
    return rows.filter(tenant=tenant, finished_at=None).first()


def _finish(done: TenantMove, *, by: str, now: datetime) -> TenantMove:
    done.refresh_from_db()
    if done.finished_at is None:
        is_there = done.phase == Phase.RELEASED
        with transaction.atomic():
            done.finished_at, done.error = now, ""
            done.save(update_fields=["finished_at", "error"])
            _record("tenant.moved" if is_there else "tenant.move_given_up", done, by)
    return done


def _record(action: str, of: TenantMove, by: str) -> None:
    after = {"placement": of.placement, "plan": of.plan_id, "phase": of.phase}
    trail.record(action, by=by, kind="tenant", key=of.tenant.slug, after=after)


@contextmanager
def _faults_kept(tenant: Tenant) -> Iterator[None]:
    """What broke the last try off stands with the move, for who has not seen it break."""
    try:
        yield
    except (MoveUnderWay, MovingElsewhere, MoveGivenUp):
        raise  # of somebody else's, which nothing has broken off; or it is over
    except Exception as fault:
        under_way = TenantMove.objects.filter(tenant=tenant, finished_at=None)
        under_way.update(error=faults.sentence(fault))
        raise
