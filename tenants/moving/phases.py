"""A move, phase by phase: what each does, and how it is known to be done.

A phase is noted in the transaction that does it, where it is one transaction; what is not noted is
done again, and twice does no harm. Until `switched` the tenant lives where it was, from then on
where it goes; that, the last changes and the phase are one commit.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg.errors import LockNotAvailable

from tenants import door
from tenants.catalogue import filled
from tenants.cursors import Cursor
from tenants.identifiers import PUBLIC_SCHEMA
from tenants.lifecycle import provisioning
from tenants.lifecycle.provisioning import owner_cursor
from tenants.models import TenantMove
from tenants.moving import carrying, fence, pace
from tenants.moving.errors import MoveGivenUp, NotMovable, SchemaDiffers
from tenants.moving.route import Route
from tenants.rls import quoted
from tenants.valkey import ValkeyAway

Phase = TenantMove.Phase
Report = Callable[[str], None]

_FEW = 200  # changed rows that are brought while the tenant waits
_ROUNDS = 20  # of catching up, at most: a tenant that writes faster than that is switched late
_BATCH = 5_000  # rows that are removed by one transaction
_NAMED = 3  # of what differs
_DONE = """
UPDATE public.tenants_tenantmove SET phase = %s, steps = steps || %s::jsonb WHERE id = %s
"""
# Waits for who is just giving the move up: that comes before the switch, or not at all.
_STILL_WANTED = """
SELECT given_up_by = '' FROM public.tenants_tenantmove WHERE id = %s FOR UPDATE
"""
_MOVING = "UPDATE public.tenants_tenant SET is_moving = %s WHERE id = %s"
_HOME = """
SELECT CASE placement WHEN 'dedicated' THEN schema_name ELSE 'public' END
  FROM public.tenants_tenant WHERE id = %s
"""
_SWITCH = """
UPDATE public.tenants_tenant SET placement = %s, plan_id = %s, is_moving = false WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class Moving:
    """A move on its way, and who is told of it."""

    move: TenantMove
    route: Route
    report: Report
    now: datetime

    def look(self) -> None:
        """Between two pieces of work. Raises MoveGivenUp once somebody has asked for that.

        By the application's log-in: the owner's transaction may see an older moment.
        """
        if TenantMove.objects.filter(pk=self.move.pk).exclude(given_up_by="").exists():
            raise MoveGivenUp


def route_of(move: TenantMove) -> Route:
    here, there = str(move.tenant.schema_name), PUBLIC_SCHEMA
    if move.is_to_dedicated:
        here, there = there, here
    return Route(move.tenant.id, here, there)


def begin_noting(moving: Moving) -> None:
    """An empty place; and every transaction that is open at the end notes what it changes."""
    move, route = moving.move, moving.route
    with _measured() as took:
        _clear(route, route.target)
        if move.is_to_dedicated:
            provisioning.create_schema(route.target, now=moving.now)
        with owner_cursor() as cursor:
            carrying.forget_notes(cursor, route.tenant_id)
            cursor.execute(_MOVING, [True, route.tenant_id])
        fence.await_older(route.tenant_id, look=moving.look)
    with owner_cursor() as cursor:
        _note(cursor, move, Phase.NOTING, took())
    moving.report(f"noting what changes ({took():.2f} s)")


def copy(moving: Moving) -> None:
    """All rows as they are at one moment, and then the planner is told what they are like."""
    move, route = moving.move, moving.route
    is_ours = move.is_to_dedicated
    with _measured() as took, carrying.snapshot(route) as cursor:
        rows = carrying.copy(cursor, route, is_ours=is_ours, look=moving.look)
        _note(cursor, move, Phase.COPIED, took(), rows=rows)
    if is_ours:
        with owner_cursor() as cursor:
            for table in carrying.tables():
                cursor.execute(f"ANALYZE {quoted(route.target)}.{quoted(table.name)}")
    moving.report(f"copied {rows} rows ({took():.2f} s)")


def verify(moving: Moving) -> None:
    """What changed meanwhile is brought until little is left; then both sides are the same."""
    move, route = moving.move, moving.route
    rounds = 0
    with _measured() as took:
        for _ in range(_ROUNDS):
            moving.look()
            rounds += 1
            if _catch_up(route) < _FEW:
                break
        with carrying.snapshot(route) as cursor:
            with carrying.as_mover(cursor):
                carrying.replay(cursor, route)
                rows = carrying.check_all(cursor, route, look=moving.look)
            _note(cursor, move, Phase.VERIFIED, took(), rows=rows, rounds=rounds)
    moving.report(f"{rows} rows are the same on both sides ({took():.2f} s)")


def switch(moving: Moving) -> None:
    """Between two transactions of the tenant: the last changes, and where it lives.

    Raises MoveGivenUp where that was asked for before, SchemaDiffers, and TenantIsBusy.
    """
    move, route = moving.move, moving.route
    _check_made(route.target)
    for number in fence.tries():
        moving.look()
        if _catch_up(route) > _FEW * (number + 1):  # more each time: it has to come to an end
            continue
        try:
            with fence.alone(route.tenant_id, number=number) as cursor, _measured() as took:
                _check_wanted(cursor, move)
                cursor.execute(f"SET LOCAL search_path = {quoted(route.target)}, public, pg_temp")
                with carrying.as_mover(cursor):
                    brought = carrying.replay(cursor, route)
                    carrying.check_same(cursor, route, brought)
                cursor.execute(_SWITCH, [move.placement, move.plan_id, route.tenant_id])
                _note(cursor, move, Phase.SWITCHED, took(), rows=len(brought), tries=number + 1)
        except LockNotAvailable:
            continue
        with contextlib.suppress(ValkeyAway):  # then the old plan's are remembered for a while
            door.limits_have_changed()
        moving.report(f"switched ({took() * 1000:.0f} ms, {number + 1} tries)")
        return


def release(moving: Moving) -> None:
    """The old rows go: a schema at once, shared tables' rows some at a time."""
    move, route = moving.move, moving.route
    with _measured() as took:
        rows = _clear(route, route.source)
        with owner_cursor() as cursor:
            carrying.forget_notes(cursor, route.tenant_id)
            _note(cursor, move, Phase.RELEASED, took(), rows=rows)
    moving.report(f"the old rows are gone ({took():.2f} s)")


def withdraw(moving: Moving) -> None:
    """Before the switch: nothing is noted any more, and what was copied goes.

    Nothing that was done counts from then on: whoever would move the tenant begins again.
    """
    move, route = moving.move, moving.route
    with owner_cursor() as cursor:
        cursor.execute(_MOVING, [False, route.tenant_id])
        _note(cursor, move, Phase.BEGUN, 0.0)
    fence.await_older(route.tenant_id)
    with _measured() as took:
        rows = _clear(route, route.target)
        with owner_cursor() as cursor:
            carrying.forget_notes(cursor, route.tenant_id)
            _note(cursor, move, Phase.ABANDONED, took(), rows=rows)
    moving.report("given up: the tenant stays where it is")


# In this order; each with the phase that is done after it.
STEPS: tuple[tuple[TenantMove.Phase, Callable[[Moving], None]], ...] = (
    (Phase.NOTING, begin_noting),
    (Phase.COPIED, copy),
    (Phase.VERIFIED, verify),
    (Phase.SWITCHED, switch),
    (Phase.RELEASED, release),
)


def _catch_up(route: Route) -> int:
    """Bring what was noted, as it is at one moment; gives the number of rows."""
    with carrying.snapshot(route) as cursor, carrying.as_mover(cursor):
        return len(carrying.replay(cursor, route))


def _clear(route: Route, schema: str) -> int:
    """Take a tenant out of a schema where it does not live; gives the number of shared rows."""
    if schema != PUBLIC_SCHEMA:
        with owner_cursor() as cursor:
            _check_lives_elsewhere(cursor, route, schema)
            provisioning.drop_schema(cursor, schema)
        return 0
    removed = 0
    while touched := _clear_some(route, schema):
        removed += touched
    return removed


def _clear_some(route: Route, schema: str) -> int:
    with owner_cursor() as cursor:
        _check_lives_elsewhere(cursor, route, schema)
        with carrying.as_mover(cursor), pace.piece():
            return carrying.remove(cursor, route, schema, at_most=_BATCH)


def _check_wanted(cursor: Cursor, move: TenantMove) -> None:
    """Raises MoveGivenUp; after it nobody gives the move up until the cursor's transaction ends."""
    cursor.execute(_STILL_WANTED, [move.pk])
    ((is_wanted,),) = cursor.fetchall()
    if not is_wanted:
        raise MoveGivenUp


def _check_made(schema: str) -> None:
    """That what keeps rows right is there, and not only the rows. Raises SchemaDiffers."""
    if found := filled.gaps(schema):
        named = ", ".join(f"{gap.object} [{gap.code}]" for gap in found[:_NAMED])
        raise SchemaDiffers(f"{len(found)} differ: {named}.")


def _check_lives_elsewhere(cursor: Cursor, route: Route, schema: str) -> None:
    """The last thing between a fault of ours and a tenant's only rows. Raises NotMovable."""
    cursor.execute(_HOME, [route.tenant_id])
    ((home,),) = cursor.fetchall()
    if home == schema:
        raise NotMovable(f"The tenant lives in {schema}: nothing is removed there.")


@contextmanager
def _measured() -> Iterator[Callable[[], float]]:
    """Gives what tells the seconds since; it stands still after the block."""
    started = time.perf_counter()
    ended: list[float] = []
    yield lambda: (ended[0] if ended else time.perf_counter()) - started
    ended.append(time.perf_counter())


def _note(cursor: Cursor, move: TenantMove, phase: Phase, seconds: float, **more: int) -> None:
    step = {"phase": phase.value, "seconds": round(seconds, 3), **more}
    cursor.execute(_DONE, [phase.value, json.dumps([step]), move.id])
