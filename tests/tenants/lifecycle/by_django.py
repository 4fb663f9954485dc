"""A dedicated schema made by Django's own `migrate`, to hold others against."""

from __future__ import annotations

from django.core.management import call_command
from django.core.management.commands.migrate import Command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django_tenants.utils import schema_context

from tenants.backend.routers import OWNER_ALIAS
from tenants.lifecycle import provisioning, targets
from tenants.rls import quoted
from tenants.roles import APP


def migrated(schema: str) -> str:
    """Gives its name back."""
    with provisioning.owner_cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {quoted(schema)}")
        cursor.execute(f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {APP}")
    with schema_context(schema, database=OWNER_ALIAS):
        _note_shared()
        call_command(Command(), database=OWNER_ALIAS, verbosity=0, skip_checks=True)
    return schema


def _note_shared() -> None:
    """What tenants' migrations depend on is done in `public` alone."""
    recorder = MigrationRecorder(connections[OWNER_ALIAS])
    recorder.ensure_schema()
    for key in set(targets.of_public()) - set(targets.of_dedicated()):
        recorder.record_applied(*key)
