"""Ticks that no market can have printed are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.examples import MORNING
from trading.market.ticks import InvalidTick, Tick
from trading.values import Side

TICK = Tick("BTC/USD", MORNING, Decimal("100.50"), Decimal("1E+3"), Side.SELL, 7, True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"at": MORNING.replace(tzinfo=None)}, "not in UTC"),
        ({"at": MORNING.astimezone(timezone(timedelta(hours=1)))}, "not in UTC"),
        ({"price": Decimal("NaN")}, "not finite"),
        ({"quantity": Decimal("Infinity")}, "not finite"),
        ({"price": Decimal("1e20")}, "too large"),
        ({"price": Decimal(0)}, "price is not positive"),
        ({"quantity": Decimal(0)}, "quantity is not positive"),
        ({"quantity": Decimal(-1)}, "quantity is not positive"),
        ({"trade_id": -1}, "trade_id is out of range"),
        ({"trade_id": 2**63}, "trade_id is out of range"),
    ],
)
def test_an_impossible_tick_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidTick, match=reason):
        replace(TICK, **changes)


def test_a_tick_is_described_in_the_terms_of_json() -> None:
    assert json.loads(json.dumps(TICK.described())) == {
        "symbol": "BTC/USD",
        "at": "2024-03-04T09:00:00+00:00",
        "price": "100.5",
        "quantity": "1000",
        "side": "sell",
        "trade_id": 7,
        "is_buyer_maker": True,
    }
