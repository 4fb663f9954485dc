"""The moments of a history, and what is told at each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.portfolio import steps
from trading.portfolio.steps import INTERVALS, Seen

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday
ONE, OTHER = (UUID(int=number) for number in (1, 2))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("start", "interval", "between"),
    [
        ("2026-03-04T09:30", "1h", ["2026-03-04T10:00", "2026-03-04T11:00"]),
        ("2026-03-04T10:00", "1h", ["2026-03-04T11:00"]),
        ("2026-03-02T12:00", "1d", ["2026-03-03T00:00", "2026-03-04T00:00"]),
        ("2026-02-20T12:00", "1w", ["2026-02-23T00:00", "2026-03-02T00:00"]),
        ("2026-03-04T11:59", "1h", []),
    ],
)
def test_steps_are_whole_intervals_between_both_ends(
    start: str, interval: str, between: list[str]
) -> None:
    found = steps.steps(at(start), NOON, INTERVALS[interval])
    assert found == [at(start), *map(at, between), NOON]


def test_a_range_of_no_length_is_one_step() -> None:
    assert steps.steps(NOON, NOON, INTERVALS["1h"]) == [NOON]


@given(st.integers(1, 10**8), st.sampled_from(sorted(INTERVALS)))
def test_steps_are_counted_without_being_made(seconds: int, interval: str) -> None:
    start = NOON - timedelta(seconds=min(seconds, 900 * INTERVALS[interval].total_seconds()))
    found = steps.steps(start, NOON, INTERVALS[interval])
    assert len(found) <= steps.count(start, NOON, INTERVALS[interval])
    assert (found[0], found[-1]) == (start, NOON)
    assert found == sorted(set(found))


@given(st.timedeltas(timedelta(0), timedelta(days=2500)))
def test_the_interval_that_is_chosen_gives_few_enough_points(span: timedelta) -> None:
    chosen = INTERVALS[steps.interval_for(span)]
    assert steps.count(NOON - span, NOON, chosen) <= steps.MOST


def seen(step: int, account: UUID, cash: int, value: int | None, *missing: str) -> Seen:
    worth = None if value is None else Decimal(value)
    return Seen(step, (account, "USD"), Decimal(cash), worth, missing)


def test_every_step_tells_the_last_that_was_seen_of_each_account() -> None:
    moments = [NOON + timedelta(hours=hour) for hour in range(4)]
    sights = [seen(1, ONE, 100, 0), seen(2, OTHER, 50, 5), seen(3, ONE, 60, 45)]
    points = steps.told(moments, sights)["USD"]
    assert [(point.at, point.equity) for point in points] == [
        (moments[1], 100),
        (moments[2], 155),
        (moments[3], 160),
    ]


def test_a_missing_price_is_missing_at_its_point_and_no_longer() -> None:
    moments = [NOON + timedelta(hours=hour) for hour in range(3)]
    sights = [seen(0, ONE, 100, 0), seen(1, ONE, 40, None, "XAU/USD"), seen(2, ONE, 40, 61)]
    points = steps.told(moments, sights)["USD"]
    assert [point.equity for point in points] == [100, None, 101]
    assert [point.missing_prices for point in points] == [(), ("XAU/USD",), ()]


def test_currencies_are_not_added_up() -> None:
    sights = [seen(0, ONE, 1, 0), Seen(0, (ONE, "EUR"), Decimal(2), Decimal(0))]
    assert list(steps.told([NOON], sights)) == ["EUR", "USD"]


def test_nothing_seen_is_nothing_told() -> None:
    assert steps.told([NOON], []) == {}
