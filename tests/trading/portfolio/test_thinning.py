"""Old points of equity: what goes, and that coarser histories do not notice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import House, job
from tests.cast import now as clock
from tests.scenarios.test_first_trade import open_account
from trading.models import EquityPoint
from trading.portfolio import actions, steps, thinning

NOW = datetime(2024, 6, 1, 12, 30, tzinfo=UTC)
FIRST = datetime(2023, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moments", "gone"),
    [
        ([], []),
        # Younger than a week: all stay.
        (["2024-05-30 10:01", "2024-05-30 10:02"], []),
        # Of an hour that is over the last stays.
        (["2024-05-01 10:01", "2024-05-01 10:02", "2024-05-01 10:59"], ["10:01", "10:02"]),
        (["2024-05-01 10:59", "2024-05-01 11:01"], []),
        # A moment on the hour ends the hour before.
        (["2024-05-01 10:30", "2024-05-01 11:00", "2024-05-01 11:30"], ["10:30"]),
        # The hour in which the week ends is not over yet.
        (["2024-05-25 12:01", "2024-05-25 12:02"], []),
        (["2024-05-25 11:01", "2024-05-25 11:02"], ["11:01"]),
        # Beyond ninety days the last of each day stays.
        (["2024-02-01 01:00", "2024-02-01 23:00", "2024-02-02 00:00"], ["01:00", "23:00"]),
        (["2024-02-01 23:00", "2024-02-02 00:01"], []),
    ],
)
def test_the_last_of_each_step_stays(moments: list[str], gone: list[str]) -> None:
    found = thinning.needless([FIRST, *map(at, moments)], now=NOW)
    assert [f"{moment:%H:%M}" for moment in found] == gone


def test_the_first_of_all_stays() -> None:
    moments = [at("2024-05-01 10:01"), at("2024-05-01 10:02"), at("2024-05-01 10:03")]
    assert thinning.needless(moments, now=NOW) == [moments[1]]


@given(
    ages=st.lists(st.integers(0, 200 * 24 * 60), min_size=1, max_size=60, unique=True),
    hours=st.sampled_from([1, 4, 24, 168]),
)
def test_a_history_of_hours_or_days_is_the_same_afterwards(ages: list[int], hours: int) -> None:
    """Told at each whole step as old as those: the last moment by then is still there."""
    moments = sorted(NOW - timedelta(minutes=age) for age in ages)
    left = sorted(set(moments) - set(thinning.needless(moments, now=NOW)))
    oldest = thinning.HOURS if hours < 24 else timedelta(days=200)
    told = steps.steps(NOW - oldest, NOW, timedelta(hours=hours))[1:]
    assert [last(moments, by) for by in told] == [last(left, by) for by in told]
    assert thinning.needless(left, now=NOW) == []


def last(moments: list[datetime], by: datetime) -> datetime | None:
    return max((moment for moment in moments if moment <= by), default=None)


def test_points_of_an_account_are_thinned_with_all_their_currencies(house: House) -> None:
    account = open_account(house.alice)
    with job(house.tenant):
        newest = EquityPoint.objects.filter(account=account).get()
        hour = (clock() - timedelta(days=30)).replace(minute=0, second=0, microsecond=0)
        for minute in range(5):
            moment = hour + timedelta(minutes=10 + minute)
            for currency in ("USD", "EUR"):
                copy(newest, moment, currency)
        assert actions.thin(now=clock()) == 6
        assert actions.thin(now=clock()) == 0
        kept = EquityPoint.objects.filter(account=account).exclude(pk=newest.pk)
        minutes = [(point.at.minute, point.currency) for point in kept.order_by("at", "currency")]
    assert minutes == [(10, "EUR"), (10, "USD"), (14, "EUR"), (14, "USD")]


def copy(point: EquityPoint, moment: datetime, currency: str) -> None:
    EquityPoint(
        account=point.account,
        user_id=point.user_id,
        at=moment,
        minute=moment,
        through=point.through,
        currency=currency,
        cash=Decimal(1),
        cost_basis=Decimal(0),
        positions_value=Decimal(0),
    ).save(force_insert=True)
