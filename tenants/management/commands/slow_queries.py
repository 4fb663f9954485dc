"""`manage.py slow_queries`: which statements of a tenant took long, without their values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from tenants import queries, slow_queries
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "List the statements of a tenant that took longer than SLOW_STATEMENT_MS in the last week,"
        " what took longest in all first; never their values."
        " Example: manage.py slow_queries acme"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        slug = options["slug"]
        tenant = queries.by_slug(slug)
        if tenant is None:
            raise CommandError(f"There is no tenant {slug!r}.")
        found = slow_queries.of(tenant.pk)
        for query in found:
            told = (
                f"{query.times:>6} times, {query.average_ms:>9.1f} ms on average,"
                f" {query.longest_ms:>9.1f} at most, last {query.last_at:%Y-%m-%d %H:%M}"
            )
            self.say(f"{told}  {query.work}", options)
            self.say(f"        {query.shape}", options)
        if not found:
            self.say(f"{slug}: no statement took long", options)
        listed = [asdict(query) | {"average_ms": query.average_ms} for query in found]
        return {"slug": slug, "slow": listed}
