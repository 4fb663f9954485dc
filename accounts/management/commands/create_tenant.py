"""`manage.py create_tenant`: a tenant, its schema where the plan has one, and its owner."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.onboarding import actions as onboarding
from tenants.context import Actor
from tenants.management.operator_command import OperatorCommand

_INVITED = "invited by mail, since nobody has proven to be this email's"


class Command(OperatorCommand):
    help = (
        "Create a tenant with its owner; an email that somebody signed up with, and that nobody has"
        " proven to be theirs, is invited; broken off, the same command goes on. Example:"
        " manage.py create_tenant acme --tier starter --owner olga@acme.example"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--tier", required=True, choices=["starter", "pro", "enterprise"])
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--region", default="default", help="one of REGIONS")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        password = f"{secrets.token_urlsafe(12)}aA1"
        founded = onboarding.create_tenant_for(
            slug=options["slug"],
            tier=options["tier"],
            owner_email=options["owner"],
            password=password,
            region=options["region"],
            by=Actor.system("create_tenant"),
            now=timezone.now(),
            report=lambda line: self.say(f"{options['slug']}: {line}", options),
        )
        tenant, is_invited = founded.tenant, founded.is_owner_invited
        self.say(f"{tenant.slug}: {tenant.tier}, {tenant.live_schema}, id {tenant.id}", options)
        told = _INVITED if is_invited else f"password, if new: {password}"
        self.say(f"owner {options['owner']}; {told}", options)
        return {
            "slug": tenant.slug,
            "id": tenant.id,
            "tier": tenant.tier,
            "schema": tenant.live_schema,
            "owner": options["owner"],
            "invited": is_invited,
            "password_if_new": None if is_invited else password,
        }
