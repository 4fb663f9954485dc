"""`manage.py replay`: an account's fills made again from its orders and the market."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from tenants import context
from tenants import queries as tenants
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import UnknownTenant
from tenants.management.operator_command import OperatorCommand
from trading.brokers.models import Account
from trading.errors import NotFound
from trading.orders import replay
from trading.orders.models import Fill


class Command(OperatorCommand):
    help = (
        "Make the fills of an account again from its orders and the stored market, and compare"
        " them with those in its books, byte for byte. Exits 1 where they differ."
        " Example: manage.py replay acme 0190f3c2-…"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("account", type=UUID)

    def carry_out(self, **options: Any) -> dict[str, Any]:
        tenant = tenants.by_slug(options["slug"])
        if tenant is None:
            raise UnknownTenant(f"There is no tenant {options['slug']!r}.")
        job = TenantContext(tenant.id, Actor.system("replay"), Scope.TENANT, is_read_only=True)
        with context.enter(job):
            account = Account.objects.filter(pk=options["account"]).first()
            if account is None:
                raise NotFound("There is no such account.")
            found = {symbol: self._compare(account, symbol, options) for symbol in _traded(account)}
        different = [symbol for symbol, is_same in found.items() if not is_same]
        if different:
            raise CommandError(f"fills differ from their replay: {', '.join(different)}")
        return {"account": str(options["account"]), "instruments": found}

    def _compare(self, account: Account, symbol: str, options: dict[str, Any]) -> bool:
        made = replay.of_instrument(account, symbol)
        word = "the same" if made.is_same else "NOT the same"
        self.say(f"{symbol}: {len(made.stored)} fills, {word} again", options)
        return made.is_same


def _traded(account: Account) -> list[str]:
    fills = Fill.objects.filter(account=account)
    return list(fills.order_by("instrument").values_list("instrument", flat=True).distinct())
