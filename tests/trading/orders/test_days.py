"""When a day order's end is the clock's to tell, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from trading.market.models import Instrument
from trading.market.places import Place
from trading.orders import days

NOW = datetime(2024, 7, 17, 15, 30, tzinfo=UTC)  # a Wednesday
MIDNIGHT, CLOSE = datetime(2024, 7, 18, tzinfo=UTC), datetime(2024, 7, 17, 20, tzinfo=UTC)


@pytest.mark.parametrize(("asset_class", "ends"), [("crypto", MIDNIGHT), ("stock", CLOSE)])
@pytest.mark.parametrize(
    "ago",
    [
        None,
        timedelta(0),
        timedelta(minutes=-1),
        timedelta(hours=1),
        timedelta(days=4),  # a long weekend of daily bars
        timedelta(days=7),
    ],
)
def test_a_market_of_today_ends_with_its_session(
    asset_class: str, ends: datetime, ago: timedelta | None
) -> None:
    known = None if ago is None else Place(NOW - ago)
    assert days.deadline(Instrument(asset_class=asset_class), known, now=NOW) == ends


@pytest.mark.parametrize(
    "ago", [timedelta(days=7, seconds=1), timedelta(days=2_000), timedelta(hours=-1)]
)
def test_a_replay_has_days_of_its_own(ago: timedelta) -> None:
    assert days.deadline(Instrument(asset_class="stock"), Place(NOW - ago), now=NOW) is None
