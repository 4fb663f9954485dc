"""Migrations as the owner: `public` first, then each dedicated schema."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.migrate import Command as DjangoMigrate
from django_tenants.utils import schema_context

from tenants import entry, tickets
from tenants.backend.routers import OWNER_ALIAS
from tenants.lifecycle import provisioning
from tenants.models import Tenant

Report = Callable[[str], None]


def migrate_public(report: Report, *, verbosity: int = 1) -> None:
    """Bring `public` up to date, then give the database the ticket key of this installation."""
    _run(verbosity)
    inner, outer = tickets.pads(settings.TENANT_TICKET_SECRET)
    with provisioning.owner_cursor() as cursor:
        proof = tickets.proof_key(settings.TENANT_TICKET_SECRET)
        cursor.execute(entry.STORE_KEY, [inner, outer, proof])
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
        _run(verbosity)


def _run(verbosity: int) -> None:
    """Django's own `migrate`, past django-tenants' command of the same name."""
    command = DjangoMigrate()
    call_command(command, database=OWNER_ALIAS, verbosity=verbosity, skip_checks=True)
