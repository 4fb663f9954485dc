"""The people who place the orders of `benchmarks.orders`: made once, their tokens anew each time.

Each has an account with plenty of money, and one order that rests, to be read.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from typing import Any

import django

django.setup()

from tests.cast import Person, build_person, build_tenant  # noqa: E402 - needs the app registry
from tests.market import list_instrument  # noqa: E402

TIERS = {"shared": "starter", "dedicated": "enterprise"}
_MONEY = {"currency": "USD", "amount": "1000000000000"}


@dataclass(frozen=True, slots=True)
class Trader:
    person: Person
    account: str
    order: str


def main() -> None:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    crowds: dict[str, list[Trader]] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "open":
            crowds = {
                name: _traders(tier, asked["people"], market.symbol) for name, tier in TIERS.items()
            }
        said = {name: [told(trader) for trader in crowd] for name, crowd in crowds.items()}
        print(json.dumps({"symbol": market.symbol, "traders": said}), flush=True)


def _traders(tier: str, people: int, symbol: str) -> list[Trader]:
    tenant = build_tenant(tier)
    return [opened(build_person(tenant, f"trader-{n}"), symbol) for n in range(people)]


def opened(person: Person, symbol: str) -> Trader:
    account = _posted(person, "accounts/", {"name": "paper", "currency": "USD"})
    _posted(person, f"accounts/{account}/deposit/", _MONEY)
    order = {"account": account, "instrument": symbol, "side": "buy", "quantity": "1"}
    resting = _posted(person, "orders/", {**order, "type": "limit", "limit_price": "50"})
    return Trader(person, account, resting)


def _posted(person: Person, path: str, body: Any) -> str:
    answer = person.post(path, body, Host="localhost")
    if answer.status_code != 201:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.content!r}")
    return str(answer.json().get("id", ""))


def told(trader: Trader) -> dict[str, str]:
    fresh = replace(trader.person)  # whose token has not been asked for yet
    return {"token": fresh.token, "account": trader.account, "order": trader.order}


if __name__ == "__main__":
    main()
