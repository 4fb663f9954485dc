"""Bars that contradict themselves are refused, and timeframes have lengths."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.examples import MORNING, a_bar
from trading.market.bars import InvalidBar
from trading.market.timeframes import TIMEFRAMES, UnknownTimeframe, duration


@pytest.mark.parametrize(
    ("prices", "changes", "reason"),
    [
        ("100 99 95 98", {}, "high is below open or close"),
        ("100 105 101 102", {}, "low is above open or close"),
        ("100 105 0 102", {}, "low is not positive"),
        ("100 105 95 NaN", {}, "not finite"),
        ("100 1e20 95 101", {}, "too large"),
        ("100 105 95 101", {"volume": "-1"}, "volume is negative"),
        ("100 105 95 101", {"start": MORNING.replace(tzinfo=None)}, "not in UTC"),
        (
            "100 105 95 101",
            {"start": MORNING.astimezone(timezone(timedelta(hours=1)))},
            "not in UTC",
        ),
    ],
)
def test_a_contradictory_bar_is_refused(prices: str, changes: Any, reason: str) -> None:
    with pytest.raises(InvalidBar, match=reason):
        a_bar(prices, **changes)


def test_a_bar_may_stand_still() -> None:
    assert a_bar("100 100 100 100").volume == 0


def test_a_bar_ends_where_the_next_begins() -> None:
    assert a_bar(timeframe="1d", start=datetime(2024, 2, 29, tzinfo=UTC)).end == datetime(
        2024, 3, 1, tzinfo=UTC
    )


def test_a_bar_is_described_in_strings() -> None:
    described = a_bar("100.50 105 95 101", volume="1E+3").described()
    assert (described["open"], described["volume"]) == ("100.5", "1000")
    assert described["start"] == "2024-03-04T09:00:00+00:00"


def test_timeframes_are_listed_shortest_first() -> None:
    assert list(TIMEFRAMES.values()) == sorted(TIMEFRAMES.values())
    assert duration("1h") == timedelta(hours=1)


def test_an_unknown_timeframe_is_refused_by_name() -> None:
    with pytest.raises(UnknownTimeframe, match="2h"):
        duration("2h")
    with pytest.raises(UnknownTimeframe):
        a_bar(timeframe="1 hour")


def test_prices_stay_decimal() -> None:
    bar = a_bar()
    assert all(isinstance(n, Decimal) for n in (bar.open, bar.high, bar.low, bar.close))
