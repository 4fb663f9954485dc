"""`manage.py graduate_tenant`: a schema of its own for a tenant that trades on."""

from __future__ import annotations

from tenants.management.moving_command import MovingCommand


class Command(MovingCommand):
    help = (
        "Move a live tenant to a schema of its own; broken off, the same command goes on."
        " Example: manage.py graduate_tenant acme --dry-run"
    )
    plan = "enterprise"
    by = "system:graduate_tenant"
