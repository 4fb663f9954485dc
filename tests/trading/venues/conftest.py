"""What every test of the venues has: an exchange, a market listed there, accounts with keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from pytest_django import Settings

from tests.market import Market, list_instrument
from tests.trading.venues.desk import Desk
from tests.trading.venues.exchange import Exchange, serving
from trading.venues import client, connection


@pytest.fixture
def exchange(settings: Settings) -> Iterator[Exchange]:
    with serving(Exchange()) as running:
        settings.VENUE_URLS = {"kraken": running.url}
        yield running


@pytest.fixture
def market(exchange: Exchange) -> Market:
    """Listed at the exchange, and last traded at 100."""
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    exchange.list(market.symbol)
    return market


@pytest.fixture
def desk(exchange: Exchange, market: Market) -> Desk:
    return Desk(exchange, market)


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What would go to the broker, by name; the worker's part is done by hand."""
    messages: list[tuple[str, list[str]]] = []

    def send_task(_: Celery, name: str, args: list[str], **options: Any) -> None:
        messages.append((name, args))

    monkeypatch.setattr(Celery, "send_task", send_task)
    return messages


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits for an exchange that does not answer."""
    monkeypatch.setattr(client, "_PAUSES", (0.01, 0.01))
    monkeypatch.setattr(connection, "TIMEOUT", 400)
