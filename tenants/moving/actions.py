"""Moving a tenant to a schema of its own, or back, while it goes on trading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from tenants import trail
from tenants.lifecycle import faults
from tenants.models import Tenant, TenantMove
from tenants.moving import exclusion, phases, planning
from tenants.moving.errors import MoveUnderWay, MovingElsewhere, NotMovable
from tenants.moving.phases import Moving, Phase, Report

# With that of one whose giving up was broken off before it was finished.
_BEFORE_THE_SWITCH = (
    Phase.BEGUN,
    Phase.NOTING,
    Phase.COPIED,
    Phase.VERIFIED,
    Phase.ABANDONED,
)


def move(*, tenant: Tenant, plan: str, by: str, now: datetime, report: Report) -> TenantMove:
    """Have the tenant live where its new plan says; one that is under way is taken up again.

    `by` is an actor's name; `report` is told of each phase. Raises UnknownPlan, NothingToMove,
    NotMovable, MovingElsewhere, MoveUnderWay, SchemasInUse, TenantIsBusy, RowsDiffer or
    OwnerLoginMissing; the tenant then goes on where it is, and the same again goes on with it.
    """
    with _faults_kept(tenant), exclusion.nobody_else(tenant.id):
        _end_abandoned(tenant, by=by, now=now)
        under_way = begin(tenant=tenant, plan=plan, by=by, now=now)
        TenantMove.objects.filter(pk=under_way.pk).exclude(error="").update(error="")
        done = [phase for phase, _ in phases.STEPS]
        last = Phase(under_way.phase)
        at = done.index(last) + 1 if last in done else 0
        moving = Moving(under_way, phases.route_of(under_way), report, now)
        for _, step in phases.STEPS[at:]:
            step(moving)
        return _finish(under_way, by=by, now=now)


def give_up(*, tenant: Tenant, by: str, now: datetime, report: Report) -> TenantMove:
    """Leave a tenant that is not switched yet where it is, and take back what was done.

    Raises NotMovable where no move is under way, or it is past the switch; MoveUnderWay,
    OwnerLoginMissing.
    """
    with _faults_kept(tenant), exclusion.nobody_else(tenant.id):
        under_way = withdrawable(tenant)
        phases.withdraw(Moving(under_way, phases.route_of(under_way), report, now))
        return _finish(under_way, by=by, now=now)


def begin(*, tenant: Tenant, plan: str, by: str, now: datetime) -> TenantMove:
    """The move that is under way, or else one that stands in the books and goes no further yet.

    Raises UnknownPlan, NothingToMove, NotMovable, MovingElsewhere.
    """
    return _under_way(tenant, plan) or _planned(tenant, plan, by=by, now=now)


def withdrawable(tenant: Tenant) -> TenantMove:
    """The move that is under way and could be given up. Raises NotMovable."""
    found = _open_move(tenant)
    if found is None or found.phase not in _BEFORE_THE_SWITCH:
        raise NotMovable("There is no move that could be given up.")
    return found


def _end_abandoned(tenant: Tenant, *, by: str, now: datetime) -> None:
    """What was given up is not gone on with: it only has to be said that it is over."""
    found = _open_move(tenant)
    if found is not None and found.phase == Phase.ABANDONED:
        _finish(found, by=by, now=now)


def _planned(tenant: Tenant, plan: str, *, by: str, now: datetime) -> TenantMove:
    """The tenant's row is locked, so that nobody begins to delete it meanwhile."""
    with transaction.atomic():
        locked = Tenant.objects.select_for_update().get(pk=tenant.pk)
        if (found := _under_way(tenant, plan)) is not None:
            return found  # somebody was quicker
        planned = planning.planned(locked, plan, now=now)
        planned.save(force_insert=True)
        _record("tenant.move_begun", planned, by)
    return planned


def _under_way(tenant: Tenant, plan: str) -> TenantMove | None:
    """The move that is not finished. Raises MovingElsewhere for one to another plan."""
    found = _open_move(tenant)
    if found is not None and found.plan_id != plan:
        raise MovingElsewhere(f"{tenant.slug} is on its way to {found.plan_id}.")
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
    except (MoveUnderWay, MovingElsewhere):
        raise  # of somebody else's, which nothing has broken off
    except Exception as fault:
        under_way = TenantMove.objects.filter(tenant=tenant, finished_at=None)
        under_way.update(error=faults.sentence(fault))
        raise
