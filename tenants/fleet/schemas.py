"""One dedicated schema is brought up to date, migration by migration.

Each in a transaction of its own, as its author expects: locks are held shortly, and what a broken
run leaves is a state of the schema that the next one starts from. The schema's record and the
ledger are written in that same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connections

from tenants.backend.routers import OWNER_ALIAS
from tenants.cursors import Cursor
from tenants.fleet import patience
from tenants.fleet.errors import HalfSquashed
from tenants.fleet.steps import Step
from tenants.lifecycle import concurrently, ledger, targets
from tenants.lifecycle.provisioning import owner_cursor
from tenants.lifecycle.targets import Key
from tenants.rls import quoted

_RECORD = "SELECT app, name FROM {}.django_migrations"
_NOTE = "INSERT INTO {}.django_migrations (app, name, applied) VALUES (%s, %s, now())"


@dataclass(frozen=True, slots=True)
class Brought:
    """What a schema got, and how often others held a lock that was needed.

    `failed` names the migration that did not work, and `error` says why.
    """

    schema: str
    slug: str
    migrations: tuple[str, ...] = ()
    waits: int = 0
    failed: str = ""
    error: str = ""


def bring_up(schema: str, slug: str, steps: Mapping[Key, Step]) -> Brought:
    """Everything that its record lacks; the first failure ends it, is kept in the ledger, and is
    no exception of ours: the other schemas go on."""
    done: list[str] = []
    waits, name = 0, "its record"
    try:
        recorded = _recorded(schema)
        for key, step in steps.items():
            if key not in recorded:
                name = step.name
                waits += _bring(schema, step, recorded)
                done.append(name)
        if not done:
            with owner_cursor() as cursor:
                ledger.write(cursor, schema, targets.of_dedicated())
    except Exception as fault:  # noqa: BLE001 - whatever a migration raises is this schema's failure
        error = _sentence(fault)
        _keep(schema, f"{name}: {error}")
        return Brought(schema, slug, tuple(done), waits, name, error)
    return Brought(schema, slug, tuple(done), waits)


def _bring(schema: str, step: Step, recorded: set[Key]) -> int:
    """Gives how often others held a lock."""
    if _is_replaced(step, recorded):
        with owner_cursor() as cursor:
            _note(cursor, schema, step.key)
        return 0
    if step.migration.atomic:
        return patience.patiently(lambda: _in_transaction(schema, step))
    if concurrently.is_repeatable(step.migration):
        return patience.patiently(lambda: _on_its_own(schema, step))
    _on_its_own(schema, step)
    return 0


def _in_transaction(schema: str, step: Step) -> None:
    name = quoted(schema)
    with owner_cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{patience.timeout()}'")
        cursor.execute(f"SET LOCAL search_path = {name}, public")
        # Should two runs meet after all, the second finds the migration on record.
        cursor.execute(f"LOCK TABLE {name}.django_migrations IN SHARE ROW EXCLUSIVE MODE")
        if step.key not in _on_record(cursor, schema):
            step.carry_out(cursor, schema)
            _note(cursor, schema, step.key)


def _on_its_own(schema: str, step: Step) -> None:
    """Without a transaction: an index that a broken run left half made, or made and not on record,
    is made again."""
    with connections[OWNER_ALIAS].cursor() as cursor:
        for index in concurrently.made(step.migration):
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(schema)}.{quoted(index)}")
    step.run(schema)
    with owner_cursor() as cursor:
        _note(cursor, schema, step.key)


def _is_replaced(step: Step, recorded: set[Key]) -> bool:
    """Whether a squashed migration is only to be put on record. Raises HalfSquashed."""
    replaced = {(app, name) for app, name in step.migration.replaces}
    if replaced & recorded and not replaced <= recorded:
        raise HalfSquashed(f"Missing before {step.name}: {sorted(replaced - recorded)}.")
    return bool(replaced) and replaced <= recorded


def _note(cursor: Cursor, schema: str, key: Key) -> None:
    cursor.execute(_NOTE.format(quoted(schema)), list(key))
    ledger.write(cursor, schema, targets.of_dedicated())


def _recorded(schema: str) -> set[Key]:
    with owner_cursor() as cursor:
        return _on_record(cursor, schema)


def _on_record(cursor: Cursor, schema: str) -> set[Key]:
    cursor.execute(_RECORD.format(quoted(schema)))
    return {(app, name) for app, name in cursor.fetchall()}


def _keep(schema: str, error: str) -> None:
    """For the next who asks; a server that is away has other ways to tell."""
    try:
        with owner_cursor() as cursor:
            ledger.note_fault(cursor, schema, error)
    except Exception:  # noqa: BLE001 - the failure itself is what is reported
        connections[OWNER_ALIAS].close()


def _sentence(fault: Exception) -> str:
    """Without PostgreSQL's DETAIL, which may quote a tenant's row."""
    diagnosis = getattr(fault.__cause__, "diag", None)
    text = getattr(diagnosis, "message_primary", None) or getattr(fault, "detail", None)
    lines = str(text or fault).strip().splitlines()
    return f"{type(fault).__name__}: {lines[0] if lines else 'no message'}"
