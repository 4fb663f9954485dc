"""What a window of bars comes to."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.trading.examples import MORNING, a_bar
from trading.market import sessions

HOUR = timedelta(hours=1)


def test_a_window_has_the_first_open_and_the_last_close() -> None:
    bars = [
        a_bar("100 105 95 101", volume="2"),
        a_bar("101 110 101 104", start=MORNING + HOUR, volume="0"),
        a_bar("104 104 90 99", start=MORNING + 2 * HOUR, volume="0.5"),
    ]
    found = sessions.summed_up(bars, Decimal(90))
    assert (found.start, found.end) == (MORNING, MORNING + 3 * HOUR)
    assert (found.open, found.high, found.low, found.close) == (100, 110, 90, 99)
    assert (found.volume, found.bars) == (Decimal("2.5"), 3)
    assert (found.change, found.change_percent) == (9, 10)


def test_a_volume_that_nobody_knows_is_none() -> None:
    assert sessions.summed_up([a_bar(volume="0")], None).volume is None


def test_without_a_close_before_the_open_is_compared() -> None:
    found = sessions.summed_up([a_bar("100 105 95 101")], None)
    assert (found.change, found.change_percent) == (1, 1)


@pytest.mark.parametrize(
    ("price", "reference", "percent"),
    [("1", "3", "-66.6667"), ("0.00000001", "1e15", "-100.0000"), ("2e19", "1e-18", "2e39")],
)
def test_per_cents_have_four_places(price: str, reference: str, percent: str) -> None:
    found = sessions.percent(Decimal(price), Decimal(reference))
    assert found.is_finite()
    if Decimal(percent) < 0:
        assert found == Decimal(percent)
    else:
        assert found > Decimal(10) ** 39
