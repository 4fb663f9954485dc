"""`manage.py demote_tenant`: back to the shared tables for a tenant that trades on."""

from __future__ import annotations

from tenants.management.moving_command import MovingCommand


class Command(MovingCommand):
    help = (
        "Move a live tenant back to the shared tables; broken off, the same command goes on."
        " Example: manage.py demote_tenant acme --plan pro"
    )
    plan = "pro"
    by = "system:demote_tenant"
