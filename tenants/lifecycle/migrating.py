"""Migrations as the owner: `public` first, then each dedicated schema."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_tenants.utils import schema_context

from tenants import entry, tickets
from tenants.backend.routers import OWNER_ALIAS
from tenants.lifecycle import blueprint, provisioning, shipped_functions
from tenants.models import Tenant

Report = Callable[[str], None]


def migrate_public(report: Report, *, verbosity: int = 1) -> None:
    """Bring `public` up to date, then give the database what its owner keeps there: the ticket key
    of this installation, the blueprint, and PostgreSQL's functions as they are shipped."""
    _run(verbosity)
    inner, outer = tickets.pads(settings.TENANT_TICKET_SECRET)
    with provisioning.owner_cursor() as cursor:
        proof = tickets.proof_key(settings.TENANT_TICKET_SECRET)
        cursor.execute(entry.STORE_KEY, [inner, outer, proof])
        shipped_functions.record(cursor)
        blueprint.keep(cursor)
    report("public: migrated")


def migrate_dedicated(report: Report, *, verbosity: int = 1) -> None:
    """Bring every dedicated schema up to date, one after the other."""
    dedicated = Tenant.objects.using(OWNER_ALIAS).filter(placement=Tenant.Placement.DEDICATED)
    for tenant in dedicated.order_by("id"):
        migrate_schema(tenant.schema_name, verbosity=verbosity)
        report(f"{tenant.schema_name}: migrated")


def migrate_schema(schema: str, *, verbosity: int = 1) -> None:
    """Bring one dedicated schema up to date by Django's own `migrate`."""
    with schema_context(schema, database=OWNER_ALIAS):
        _note_shared()
        _run(verbosity)


def _note_shared() -> None:
    """Have the schema know as done what is done in `public` alone.

    Tenant apps' migrations depend on those of shared apps, and a schema that was made by replay
    knows only the former.
    """
    connection = connections[OWNER_ALIAS]
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    known, tenants_own = recorder.applied_migrations(), blueprint.tenant_labels()
    for app, name in MigrationLoader(None).graph.nodes:
        if app not in tenants_own and (app, name) not in known:
            recorder.record_applied(app, name)


def _run(verbosity: int) -> None:
    """Django's own `migrate`, past django-tenants' command of the same name."""
    command = DjangoMigrate()
    call_command(command, database=OWNER_ALIAS, verbosity=verbosity, skip_checks=True)
