"""Which way the price took inside a bar."""

from __future__ import annotations

import pytest

from tests.trading.examples import a_bar
from tests.trading.orders.told import tick
from trading.orders import path


@pytest.mark.parametrize(
    ("case", "prices", "points"),
    [
        ("the low is nearer", "100 110 95 105", [100, 95, 110, 105]),
        ("the high is nearer", "100 104 95 101", [100, 104, 95, 101]),
        ("both equally near: the low first", "100 105 95 101", [100, 95, 105, 101]),
        ("opened at the low", "95 105 95 101", [95, 95, 105, 101]),
        ("opened at the high", "105 105 95 101", [105, 105, 95, 101]),
        ("it stood still", "100 100 100 100", [100, 100, 100, 100]),
    ],
)
def test_open_then_nearer_extreme_then_farther_then_close(
    case: str, prices: str, points: list[int]
) -> None:
    assert list(path.of(a_bar(prices)).points) == points, case


def test_a_tick_is_a_path_of_one_price_and_one_moment() -> None:
    found = path.of(tick(7, "100.5", "3"))
    assert (found.open, found.close, found.volume) == (found.points[0], found.points[-1], 3)
    assert found.start == found.end
