"""What rooms count of their own: sockets, events, bars and fills, exchanges to be told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DataError, connection

from config.observing import exposition
from tenants.models import Tenant
from tests.cast import House, job, now
from tests.config.observing.scraped import read, value
from tests.market import list_instrument
from tests.scenarios.test_first_trade import open_account, order
from tests.trading.notifications.hearing import listening
from trading.venues import backlog, queries
from trading.venues.queries import Waiting

EVENTS = "bulkhead_events_total"
BARS, FILLS = "bulkhead_prints_matched_total", "bulkhead_paper_fills_total"


def counted(name: str, **labels: str) -> float:
    return value(read(exposition.counted().decode()), name, **labels)


def measured(name: str) -> float:
    return value(read(exposition.measured().decode()), name)


async def test_open_sockets_are_counted(house: House) -> None:
    before = counted("bulkhead_sockets_open")
    async with listening(house.alice), listening(house.bob):
        assert counted("bulkhead_sockets_open") == before + 2
    assert counted("bulkhead_sockets_open") == before


def test_what_a_bar_brings_is_counted_once_it_is_committed(house: House) -> None:
    market = list_instrument()
    market.feed_bar(open="100", high="101", low="99", close="100")
    account = open_account(house.alice)
    before = [counted(BARS, kind="bar"), counted(FILLS)], counted(EVENTS, kind="order.filled")
    refused = house.alice.post("orders/", order(account, market, quantity="1000000"))
    assert refused.status_code >= 400
    assert house.alice.post("orders/", order(account, market)).status_code == 201
    market.feed_bar(open="100", high="101", low="99", close="100")
    after = [counted(BARS, kind="bar"), counted(FILLS)], counted(EVENTS, kind="order.filled")
    assert after == ([count + 1 for count in before[0]], before[1] + 1)


def test_a_statement_that_fails_is_counted_by_its_class() -> None:
    before = counted("bulkhead_database_errors_total", sqlstate_class="22")
    with pytest.raises(DataError), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    assert counted("bulkhead_database_errors_total", sqlstate_class="22") == before + 1


def test_what_exchanges_are_to_be_told_is_measured_over_all_tenants(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = now() - timedelta(minutes=10)
    before = measured("bulkhead_outbox_pending")
    for tenant, count in ((house.tenant, 2), (house.mallory.tenant, 3)):
        note(tenant, Waiting(count, begun), monkeypatch)
    assert measured("bulkhead_outbox_pending") == before + 5
    assert measured("bulkhead_outbox_oldest_seconds") >= 599
    note(house.tenant, Waiting(0, None), monkeypatch)
    backlog.forget(str(house.mallory.tenant.id))
    assert measured("bulkhead_outbox_pending") == before


def note(tenant: Tenant, found: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the tenant's timer does, which has found so much."""
    monkeypatch.setattr(queries, "waiting", lambda **_: found)
    with job(tenant):
        backlog.note(now=now())
