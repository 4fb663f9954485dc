"""All schemas are migrated: `public`, then one that goes ahead, then all others at once.

Whatever breaks a run off, the next one goes on: each schema's state stands in its record.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

from django.db import connections

from tenants.backend.routers import OWNER_ALIAS
from tenants.fleet import planning, public, schemas
from tenants.fleet.planning import Due
from tenants.fleet.schemas import Brought
from tenants.fleet.steps import Step
from tenants.identifiers import PUBLIC_SCHEMA
from tenants.lifecycle import targets, turns
from tenants.lifecycle.targets import Key

Steps = Mapping[Key, Step]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to go about it. `upkeep` also looks after what the owner keeps in `public`, which may
    have been lost without any migration; `tell` is given what has become of each schema, and how
    many there are."""

    canary: str | None = None
    jobs: int = 4
    upkeep: bool = False
    verbosity: int = 1
    tell: Callable[[Brought, int], None] = lambda _brought, _of: None


@dataclass(slots=True)
class Outcome:
    """What has become of it; `untouched` were not tried, because the canary failed."""

    public_migrated: bool = False
    canary: str = ""
    migrated: list[Brought] = field(default_factory=list)
    failed: list[Brought] = field(default_factory=list)
    untouched: list[str] = field(default_factory=list)
    by_django: list[str] = field(default_factory=list)
    waits: int = 0
    seconds: float = 0.0

    def take(self, brought: Brought) -> None:
        (self.failed if brought.failed else self.migrated).append(brought)
        self.waits += brought.waits

    @property
    def is_idle(self) -> bool:
        return not (self.public_migrated or self.migrated or self.failed)


def run(wanted: Wanted) -> Outcome:
    """Raises SchemasInUse, NoSuchCanary or OwnerLoginMissing before anything is changed."""
    outcome, started = Outcome(), time.perf_counter()
    if wanted.upkeep or planning.due():
        with turns.changed_by_us():
            if wanted.canary:
                planning.check_canary(wanted.canary)
            _migrate_public(wanted, outcome)
            _migrate_dedicated(wanted, outcome)
    outcome.seconds = round(time.perf_counter() - started, 3)
    return outcome


def _migrate_public(wanted: Wanted, outcome: Outcome) -> None:
    outcome.public_migrated = any(one.schema == PUBLIC_SCHEMA for one in planning.due())
    if outcome.public_migrated:
        outcome.waits += public.migrate(verbosity=wanted.verbosity)
    if outcome.public_migrated or wanted.upkeep:
        public.keep()


def _migrate_dedicated(wanted: Wanted, outcome: Outcome) -> None:
    """Asked again at the end: a process of the release before may have made a schema meanwhile."""
    steps = {key: Step(key) for key in targets.of_dedicated()}
    tried: set[str] = set()
    while waiting := [one for one in planning.due() if one.schema not in tried | {PUBLIC_SCHEMA}]:
        if not tried:
            waiting = _canary_first(waiting, steps, wanted, outcome)
        if outcome.untouched:
            break
        _all_at_once(waiting, steps, wanted, outcome)
        tried |= {brought.schema for brought in (*outcome.migrated, *outcome.failed)}
    ran = {name for brought in outcome.migrated for name in brought.migrations}
    outcome.by_django = [s.name for s in steps.values() if s.is_by_django and s.name in ran]


def _canary_first(
    waiting: Sequence[Due], steps: Steps, wanted: Wanted, outcome: Outcome
) -> list[Due]:
    """Gives the others; with a canary that failed they stay as they are."""
    canary = planning.canary(waiting, wanted.canary)
    others = [one for one in waiting if one != canary]
    outcome.canary = canary.slug
    brought = schemas.bring_up(canary.schema, canary.slug, steps)
    outcome.take(brought)
    wanted.tell(brought, len(waiting))
    if brought.failed:
        outcome.untouched = [one.schema for one in others]
    return others


def _all_at_once(waiting: Iterable[Due], steps: Steps, wanted: Wanted, outcome: Outcome) -> None:
    """By threads with an owner's connection each: the work is the server's."""
    left: queue.SimpleQueue[Due] = queue.SimpleQueue()
    for one in waiting:
        left.put(one)
    total, stop = left.qsize() + len(outcome.migrated) + len(outcome.failed), Event()
    done: queue.SimpleQueue[Brought] = queue.SimpleQueue()
    jobs = max(1, min(wanted.jobs, left.qsize()))
    with ThreadPoolExecutor(jobs, "migrate") as pool:
        working = [pool.submit(_work, left, done, steps, stop) for _ in range(jobs)]
        try:
            while not (done.empty() and all(worker.done() for worker in working)):
                _told(done, wanted, outcome, total)
        finally:
            stop.set()  # interrupted: each schema that was begun is finished
    for worker in working:
        worker.result()


def _told(done: queue.SimpleQueue[Brought], wanted: Wanted, outcome: Outcome, total: int) -> None:
    try:
        brought = done.get(timeout=0.05)
    except queue.Empty:
        return
    outcome.take(brought)
    wanted.tell(brought, total)


def _work(
    left: queue.SimpleQueue[Due], done: queue.SimpleQueue[Brought], steps: Steps, stop: Event
) -> None:
    try:
        while not stop.is_set():
            one = left.get_nowait()
            done.put(schemas.bring_up(one.schema, one.slug, steps))
    except queue.Empty:
        return
    finally:
        connections[OWNER_ALIAS].close()
