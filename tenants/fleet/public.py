"""`public`: its tables by Django's own `migrate`, and what the owner keeps beside them."""

from __future__ import annotations

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.migrate import Command as DjangoMigrate

from tenants import entry, tickets
from tenants.backend.routers import OWNER_ALIAS
from tenants.fleet import patience
from tenants.identifiers import PUBLIC_SCHEMA
from tenants.lifecycle import blueprint, ledger, provisioning, shipped_functions, targets


def migrate(*, verbosity: int = 1) -> int:
    """Bring `public` up to date; gives how often others held a lock that was needed.

    A try that had to give up left what it had finished on record, and the next goes on there.
    """

    def act() -> None:
        command = DjangoMigrate()  # past django-tenants' command of the same name
        call_command(command, database=OWNER_ALIAS, verbosity=verbosity, skip_checks=True)

    with patience.short_waits():
        waits = patience.patiently(act)
    with provisioning.owner_cursor() as cursor:
        ledger.write(cursor, PUBLIC_SCHEMA, targets.of_public())
    return waits


def keep() -> None:
    """What the owner keeps: the ticket key of this installation, PostgreSQL's functions as they
    are shipped, and the blueprint."""
    inner, outer = tickets.pads(settings.TENANT_TICKET_SECRET)
    with provisioning.owner_cursor() as cursor:
        proof = tickets.proof_key(settings.TENANT_TICKET_SECRET)
        cursor.execute(entry.STORE_KEY, [inner, outer, proof])
        shipped_functions.record(cursor)
        blueprint.keep(cursor)
