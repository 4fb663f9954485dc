"""A tenant goes back to an instant, by all that was committed then, while the others go on."""

from __future__ import annotations

from backups.platform.base import Base
from tests.backups.platform.platforms import clock, of_instant
from tests.backups import keepers
from backups import restoring
from tests.backups.keepers import BY, rows
from tests.cast import House, now
from tests.market import Market
from tests.tenants.moving.movers import trade


def test_a_tenant_is_what_it_was(full: Base, house: House, market: Market) -> None:
    trade(house.alice, market)
    was, at = rows(house.tenant), clock()
    trade(house.bob, market)
    since = rows(house.tenant)
    entry = of_instant(house.tenant.slug, at)
    assert rows(house.tenant) == since
    restoring.restore(entry=entry, by=BY, now=now(), report=print)
    assert rows(house.tenant) == was
