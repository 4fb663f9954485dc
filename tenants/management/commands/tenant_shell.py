"""`manage.py tenant_shell`: a Python shell inside one tenant, as a named job."""

from __future__ import annotations

import code
import getpass
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import context, queries, trail
from tenants.context import Actor, Scope, TenantContext


class Command(BaseCommand):
    help = (
        "A Python shell inside a tenant; one transaction, committed when you leave."
        " Example: manage.py tenant_shell acme"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = queries.by_slug(options["slug"])
        if tenant is None:
            raise CommandError(f"There is no tenant {options['slug']!r}.")
        actor = Actor.system(f"shell:{getpass.getuser()}")
        where = TenantContext(tenant.id, actor, Scope.TENANT)
        # Before it is open, on the platform and to the tenant, whatever becomes of the shell.
        opened = "tenant.shell_opened"
        trail.record(opened, by=actor.name, kind="tenant", key=tenant.slug)
        with context.enter(where):
            trail.record_inside(opened, kind="tenant", key=tenant.slug)
        models = {model.__name__: model for model in apps.get_models()}
        with context.enter(where):
            banner = f"Inside {tenant.slug} ({tenant.live_schema}) as {actor.name}."
            code.interact(banner=banner, local={**models, "tenant": tenant}, exitmsg="")
