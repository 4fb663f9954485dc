"""A world of strangers: tenants on both tiers, each person with a row in every table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from accounts.audit.models import AuditEvent
from tests.cast import House, Person, build_house
from tests.market import Market, list_instrument


@dataclass(frozen=True)
class Trader:
    """A person with rows everywhere; the canary stands in every text he could write."""

    person: Person
    canary: str
    ids: dict[str, str] = field(default_factory=dict)  # by model name

    @property
    def user(self) -> str:
        return str(self.person.user_id)

    @property
    def secrets(self) -> list[str]:
        """What no one else may ever be shown."""
        return [self.canary, self.user, *self.ids.values()]


@dataclass(frozen=True)
class World:
    market: Market
    houses: dict[str, House]
    traders: list[Trader]

    def strangers_of(self, trader: Trader) -> list[Trader]:
        return [other for other in self.traders if other is not trader]


def build_world() -> World:
    """Two tenants per tier; Alice, Bob and Mallory of each have traded."""
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    houses = {tier: build_house(tier) for tier in ("starter", "enterprise")}
    people = [p for house in houses.values() for p in (house.alice, house.bob, house.mallory)]
    traders = [Trader(person, f"canary{uuid4().hex}") for person in people]
    for trader in traders:
        _order(trader, market)
    market.feed_bar(open="100", high="101", low="99", close="100")
    for trader in traders:
        _collect(trader)
    return World(market, houses, traders)


def _order(trader: Trader, market: Market) -> None:
    person, canary = trader.person, trader.canary
    account = _created(person.post("accounts/", {"name": canary, "currency": "USD"}))
    trader.ids["Account"] = account["id"]
    money = {"currency": "USD", "amount": "1000"}
    path = f"accounts/{account['id']}/deposit/"
    _created(person.post(path, money, Idempotency_Key=canary))
    order = {
        "account": account["id"],
        "instrument": market.symbol,
        "side": "buy",
        "type": "market",
        "quantity": "1",
        "client_order_id": canary,
    }
    trader.ids["Order"] = _created(person.post("orders/", order))["id"]


def _collect(trader: Trader) -> None:
    person = trader.person
    trader.ids["Fill"] = person.get("fills/").json()["results"][0]["id"]
    position = person.get("positions/").json()["results"][0]["id"]
    trader.ids["Position"] = position
    noted = person.request("PATCH", f"positions/{position}/notes/", {"notes": trader.canary})
    assert noted.status_code == 200, noted.json()
    with person.inside():
        trader.ids["AuditEvent"] = str(AuditEvent.objects.values_list("id", flat=True)[0])


def _created(answer: Any) -> Any:
    assert answer.status_code == 201, answer.json()
    return answer.json()
