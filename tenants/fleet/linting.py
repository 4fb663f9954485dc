"""The migrations of our own apps, read for what a running release does not survive.

A migration that has to do it all the same says so: `accepts` of its class gives the reason by code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.db import migrations
from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from tenants.fleet import hazards, sql_queries
from tenants.fleet.hazard import Hazard
from tenants.lifecycle import concurrently, targets

_HOUSE = Path(__file__).resolve().parents[2]


def lint() -> list[Hazard]:
    """What is not accepted, and what is and does not happen."""
    state, graph, ours = ProjectState(), targets.loader().graph, _our_labels()
    found: list[Hazard] = []
    for key in targets.of_public():
        migration = graph.nodes[key]
        if key[0] in ours:
            found += judged(migration, state)
        else:
            migration.mutate_state(state, preserve=False)
    return sorted(found)


def judged(migration: Migration, state: ProjectState) -> list[Hazard]:
    """What it does and does not accept, and the other way round; takes the state on."""
    name = f"{migration.app_label}.{migration.name}"
    done = {Hazard(name, code, what) for code, what in _hazards(migration, state)}
    accepted = set(getattr(migration, "accepts", {}))
    stale = {Hazard(name, "stale_acceptance", code) for code in accepted - {h.code for h in done}}
    return [*(hazard for hazard in done if hazard.code not in accepted), *stale]


def _hazards(migration: Migration, state: ProjectState) -> Iterator[tuple[str, str]]:
    new_models: set[str] = set()
    for operation in migration.operations:
        for step in _in_the_database(operation):
            yield from hazards.hazards(step, migration.app_label, state, new_models)
            if isinstance(step, migrations.CreateModel):
                new_models.add(step.name_lower)
        operation.state_forwards(migration.app_label, state)
    yield from _of_the_whole(migration)


def _of_the_whole(migration: Migration) -> Iterator[tuple[str, str]]:
    if not concurrently.is_repeatable(migration):
        yield "not_repeatable", migration.name
    steps = [step for each in migration.operations for step in _in_the_database(each)]
    movers = [step for step in steps if _moves_rows(step)]
    if movers and len(movers) < len(steps) and migration.atomic:
        yield "rows_under_lock", migration.name


def _moves_rows(step: Operation) -> bool:
    if isinstance(step, migrations.RunSQL):
        return any(sql_queries.changes_rows(text) for text in hazards.texts(step))
    return isinstance(step, migrations.RunPython)


def _in_the_database(operation: Operation) -> Iterator[Operation]:
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        for step in operation.database_operations:
            yield from _in_the_database(step)
    else:
        yield operation


def _our_labels() -> set[str]:
    """Of apps whose room stands in the house, and not among the installed packages."""
    return {app.label for app in apps.get_app_configs() if _stands_in_the_house(app.name)}


def _stands_in_the_house(name: str) -> bool:
    file = sys.modules[name.partition(".")[0]].__file__
    return file is not None and Path(file).resolve().parents[1] == _HOUSE
