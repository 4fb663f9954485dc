"""A world of strangers: tenants on both tiers, each person with a row in every table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from secrets import randbelow
from typing import Any
from uuid import UUID

from accounts.access.models import Membership
from accounts.access.roles import Role
from accounts.audit.models import AuditEvent
from accounts.sessions.models import Session
from accounts.support import actions as support
from accounts.users import actions as users
from backups import actions as backups
from backups import lending
from backups.models import Backup, Restoration
from tests.accounts.doors import post, stepped_up
from tests.cast import PASSWORD, House, Person, build_house, build_person, job, now
from tests.isolation import machines
from tests.market import Market, list_instrument
from trading.models import Account, Balance, BracketTerms


@dataclass(frozen=True)
class Trader:
    """A person with rows everywhere; the canary stands in every text of theirs, see `texts`."""

    person: Person
    canary: str
    ids: dict[str, str] = field(default_factory=dict)  # by model name

    @property
    def user(self) -> str:
        return str(self.person.user_id)

    @property
    def secrets(self) -> list[str]:
        """What no one else may ever be shown."""
        return [self.canary, self.user, self.person.email, *self.ids.values()]

    @property
    def marks(self) -> tuple[str, str]:
        """One of them stands in every text: the person's own, or that of the whole tenant."""
        return self.canary, self.person.tenant.slug


@dataclass(frozen=True)
class World:
    market: Market
    houses: dict[str, House]
    traders: list[Trader]
    owners: dict[UUID, Person]  # by tenant

    def owner_over(self, trader: Trader) -> Person:
        return self.owners[trader.person.tenant.id]

    def strangers_of(self, trader: Trader) -> list[Trader]:
        return [other for other in self.traders if other is not trader]

    def readers(self) -> Iterator[tuple[Person, Trader]]:
        """Everybody there is, with somebody whose rows they may read."""
        for trader in self.traders:
            yield trader.person, trader
        for owner in self.owners.values():
            yield owner, next(t for t in self.traders if t.person.tenant == owner.tenant)

    def foreign_to(self, reader: Person) -> list[str]:
        """What no answer to them may hold; who is in charge sees the whole tenant."""
        if reader.role is Role.OWNER:
            unseen = [t for t in self.traders if t.person.tenant != reader.tenant]
        else:
            unseen = [t for t in self.traders if t.person is not reader]
        slugs = {o.tenant.slug for o in self.owners.values()} - {reader.tenant.slug}
        return [*slugs, *(secret for trader in unseen for secret in trader.secrets)]


def build_world() -> World:
    """Two tenants per tier; Alice, Bob and Mallory of each have traded."""
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    houses = {tier: build_house(tier) for tier in ("starter", "enterprise")}
    people = [p for house in houses.values() for p in (house.alice, house.bob, house.mallory)]
    traders = [Trader(person, new_canary()) for person in people]
    for trader in traders:
        _order(trader, market)
        _at_exchange(trader, market)
    market.feed_bar(open="100", high="101", low="99", close="100")
    owners = _owners(houses)
    for trader in traders:
        _collect(trader)
        _attend(trader)
        _belong(trader, owners[trader.person.tenant.id])
        machines.write(trader.person, trader.canary, trader.ids, market)
    for owner in owners.values():
        machines.write_about(owner.tenant)
    return World(market, houses, traders, owners)


def new_canary() -> str:
    """Of digits: they pass where capitals alone are taken, as in a currency, or small letters."""
    return f"77{randbelow(10**14):014}"


def _owners(houses: dict[str, House]) -> dict[UUID, Person]:
    """Olga of the one tenant of each tier, and Oscar of the other."""
    known = [house.olga for house in houses.values()]
    others = [build_person(h.mallory.tenant, "oscar", Role.OWNER) for h in houses.values()]
    return {owner.tenant.id: owner for owner in [*known, *others]}


def _order(trader: Trader, market: Market) -> None:
    person, canary = trader.person, trader.canary
    account = _created(person.post("accounts/", {"name": canary, "currency": "USD"}))
    trader.ids["Account"] = account["id"]
    money = {"currency": "USD", "amount": "1000"}
    _created(person.post(f"accounts/{account['id']}/deposit/", money))
    _purse(trader)
    _preferences(trader)
    order = {
        "account": account["id"],
        "instrument": market.symbol,
        "side": "buy",
        "type": "market",
        "quantity": "1",
        "client_order_id": canary,
    }
    trader.ids["Order"] = _created(person.post("orders/", order))["id"]


def _purse(trader: Trader) -> None:
    """Money that nobody knows a price of, apart: beside limits it would stop all buying."""
    person, canary = trader.person, trader.canary
    purse = _created(person.post("accounts/", {"name": f"purse {canary}"}))["id"]
    money = {"currency": canary, "amount": "1"}
    _created(person.post(f"accounts/{purse}/deposit/", money, Idempotency_Key=canary))


def _preferences(trader: Trader) -> None:
    """How the account is to be run, and another one at an exchange, with its keys."""
    person, account = trader.person, trader.ids["Account"]
    limits = {"max_drawdown": "900"}
    assert person.request("PUT", f"accounts/{account}/limits/", limits).status_code == 200
    buys = {"notional": "1", "instruments": [trader.canary]}
    assert person.request("PUT", f"accounts/{account}/auto-buy/", buys).status_code == 200
    real = {"name": f"at {trader.canary}", "kind": "exchange", "exchange": "kraken"}
    other = _created(person.post("accounts/", real))["id"]
    keys = {"api_key": trader.canary, "api_secret": trader.canary}
    assert person.request("PUT", f"accounts/{other}/credentials/", keys).status_code == 200
    trader.ids["ExchangeAccount"] = other


def _at_exchange(trader: Trader, market: Market) -> None:
    """An order that an exchange is to be told of, and an account at one that is no more."""
    person, canary = trader.person, trader.canary
    account = trader.ids["ExchangeAccount"]
    machines.fund(person.tenant, account)
    with machines.nobody_calls():
        asked = {"account": account, "instrument": market.symbol, "side": "buy", "type": "market"}
        placed = _created(person.post("orders/", {**asked, "quantity": "1"}))
    trader.ids["ExchangeOrder"] = placed["id"]
    real = {"name": f"elsewhere {canary}", "kind": "exchange", "exchange": "kraken"}
    trader.ids["Elsewhere"] = _created(person.post("accounts/", {**real, "currency": canary}))["id"]
    with job(person.tenant):
        Account.objects.filter(pk=trader.ids["Elsewhere"]).update(exchange=canary)


def _collect(trader: Trader) -> None:
    person = trader.person
    trader.ids["Fill"] = person.get("fills/").json()["results"][0]["id"]
    trader.ids["Notification"] = person.get("notifications/").json()["results"][0]["id"]
    position = person.get("positions/").json()["results"][0]["id"]
    trader.ids["Position"] = position
    with person.inside():
        balance = Balance.objects.get(account_id=trader.ids["Account"], currency="USD")
        trader.ids["Balance"] = str(balance.id)
    noted = person.request("PATCH", f"positions/{position}/notes/", {"notes": trader.canary})
    assert noted.status_code == 200, noted.json()
    with person.inside():
        trader.ids["AuditEvent"] = str(AuditEvent.objects.values_list("id", flat=True)[0])


def _attend(trader: Trader) -> None:
    """What a person keeps about a position, an order that waits on it, and a portfolio."""
    person, canary, position = trader.person, trader.canary, trader.ids["Position"]
    said = {"model": canary, "thinking": canary, "context": {"a": canary}, "decision": canary}
    trader.ids["DecisionLog"] = _created(person.post(f"positions/{position}/ai-logs/", said))["id"]
    terms = {"leverage": "2", "margin_mode": "cross"}
    put = person.request("PUT", f"positions/{position}/perpetual/", terms)
    assert put.status_code == 200, put.json()
    with person.inside():
        # By hand: a bracket's legs would stand in every list of orders.
        BracketTerms(
            position_id=UUID(position), user_id=person.user_id, take_profit=Decimal(200)
        ).save(force_insert=True)
    waits = {"percent": "50", "limit_price": "150"}
    placed = person.post(f"positions/{position}/limit-orders/", waits)
    trader.ids["LimitOrder"] = _created(placed)["id"]
    named = {"name": canary, "currency": canary, "initial_capital": "1000"}
    made = person.post("portfolios/", {**named, "accounts": [trader.ids["Account"]]})
    trader.ids["NamedPortfolio"] = _created(made)["id"]


def _belong(trader: Trader, owner: Person) -> None:
    """Who may be here: a member, signed in, an offer, a key, and staff that has asked."""
    person, canary = trader.person, trader.canary
    member = Membership.objects.get(user_id=person.user_id, tenant_id=person.tenant.id)
    trader.ids["Membership"] = str(member.id)
    given = {"email": person.email, "password": PASSWORD, "tenant": person.tenant.slug}
    signed_in = person.post("auth/login/", given, User_Agent=canary)
    assert signed_in.status_code == 200, signed_in.json()
    trader.ids["SignedIn"] = str(Session.objects.get(user_id=person.user_id).id)
    offer = {"email": f"{canary}@x.example", "role": "viewer"}
    trader.ids["Invitation"] = _created(owner.post("invitations/", offer))["id"]
    key = {"name": canary, "scope": "read"}
    trader.ids["ApiKey"] = _created(post("api-keys/", key, credential=stepped_up(person)))["id"]
    email = f"staff{canary}@bulkhead.example"
    staff = users.ensure(email=email, password=PASSWORD, now=now(), is_staff=True)
    asked = support.ask(tenant=person.tenant, staff=staff, reason=canary, now=now())
    trader.ids["SupportSession"] = str(asked.id)
    backup = _backup(trader)
    with job(person.tenant):
        restoration = Restoration.objects.create(
            tenant_id=person.tenant.id,
            backup=backup,
            asked_by_id=person.user_id,
            asked_at=now(),
            status=Restoration.Status.FAILED,
            fault=canary,
        )
    trader.ids["Backup"] = str(backup.id)
    trader.ids["Restoration"] = str(restoration.id)


def _backup(trader: Trader) -> Backup:
    """One to be downloaded, whose key is lent, so that it can be read, too."""
    backup = backups.take(tenant=trader.person.tenant, reason="asked", by="system:test", now=now())
    said = {"fault": trader.canary, "verified_fault": trader.canary, "export_asked_at": now()}
    Backup.objects.filter(pk=backup.pk).update(**said)
    return lending.lend(backup_id=backup.pk, now=now())


def _created(answer: Any) -> Any:
    assert answer.status_code == 201, answer.json()
    return answer.json()
