"""Prices that pass a tenant by while it is restored, and those of the days since its backup."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from accounts.access.roles import Role
from backups.models import Backup
from tenants import queries as tenants
from tenants import valkey
from tenants.models import Tenant
from tests.backups.exchanges import meanwhile
from tests.backups.keepers import restore, restore_into, take
from tests.backups.test_fence import Broken
from tests.cast import House, Person, now
from tests.market import Market
from tests.scenarios.test_first_trade import open_account
from tests.scenarios.test_index import limit_buy
from tests.scenarios.test_order_types import quiet, seen
from tests.scenarios.test_replay import replayed
from tests.scenarios.test_standing_still import come_back
from trading.market import queries
from trading.orders import feed

pytestmark = pytest.mark.by_turns


@pytest.fixture
def waiting(house: House, market: Market) -> dict[str, Any]:
    """Alice's order, which the next price under 95 fills."""
    order = limit_buy(house.alice, open_account(house.alice), market, "95")
    quiet(market)
    return order


def fall(market: Market, price: str) -> None:
    market.feed_bar(open=price, high="98", low=price, close="97")


def price_of(house: House, order: dict[str, Any], market: Market) -> str | None:
    """Once the past has been made again, to the same."""
    assert replayed(house, order["account"])["instruments"] == {market.symbol: True}
    found: str | None = seen(house.alice, order)["average_price"]
    return found


def copied(backup: Backup, house: House) -> House:
    """Its Alice is the same person in another tenant."""
    tenant: Tenant = restore_into(backup, f"r{uuid4().hex[:12]}")
    alice = Person("alice", house.alice.user_id, house.alice.email, tenant, Role.TRADER)
    return House(house.tier, tenant, alice, house.bob, house.olga, house.vera)


@pytest.mark.parametrize("is_put_back", [True, False], ids=["in place", "as a new tenant"])
@pytest.mark.parametrize("is_first", [True, False], ids=["a newer print", "the task"])
def test_what_is_restored_meets_the_days_since_its_backup_before_anything_newer(
    house: House, market: Market, waiting: dict[str, Any], is_put_back: bool, is_first: bool
) -> None:
    backup = take(house.tenant)
    fall(market, "93")
    fall(market, "91")
    there = house
    if is_put_back:
        restore(backup)
    else:
        there = copied(backup, house)
    assert seen(there.alice, waiting)["status"] == "accepted"
    if is_first:
        # By the index its orders are those of before, or none: the task has not been there yet.
        limit_buy(there.alice, waiting["account"], market, "94")
        fall(market, "80")
    else:
        assert come_back(there) > 0
    assert price_of(there, waiting, market) == "93"
    assert price_of(house, waiting, market) == "93"


@pytest.mark.parametrize("comes_to_nothing", [True, False], ids=["it fails", "it is done"])
def test_what_comes_while_rows_are_exchanged_is_met_afterwards(
    house: House, market: Market, waiting: dict[str, Any], comes_to_nothing: bool
) -> None:
    def prices(_: object) -> None:
        fall(market, "93")
        if comes_to_nothing:
            raise Broken

    backup = take(house.tenant)
    with meanwhile(prices):
        if comes_to_nothing:
            with pytest.raises(Broken):
                restore(backup)
        else:
            restore(backup)
    assert market.symbol in queries.unmatched(), "nobody goes on without it"
    assert seen(house.alice, waiting)["status"] == "accepted"
    fall(market, "80")
    assert price_of(house, waiting, market) == "93"
    assert feed.recover([market.symbol], now=now()) == 0
    assert market.symbol not in queries.unmatched()


def test_an_index_that_is_made_anew_while_rows_are_exchanged_has_its_orders_afterwards(
    house: House, market: Market, waiting: dict[str, Any]
) -> None:
    def lose(_: object) -> None:
        kinds = ("signed", "next", "below", "above", "until")
        valkey.client().delete("open:complete", *(f"open:{market.symbol}:{k}" for k in kinds))
        fall(market, "93")
        raise Broken

    backup = take(house.tenant)
    with meanwhile(lose), pytest.raises(Broken):
        restore(backup)
    fall(market, "80")
    assert seen(house.alice, waiting)["status"] == "accepted", "nobody has found it"
    assert house.tenant.id in tenants.returned_ids()
    assert come_back(house) == 1
    assert price_of(house, waiting, market) == "93"
