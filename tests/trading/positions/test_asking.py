"""How much of a position is meant, and which limits lie too far under the market."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trading.position_orders.asking import Floor, Part


@pytest.mark.parametrize(
    ("quantity", "percent", "meant"),
    [
        (None, None, "8"),
        ("3", None, "3"),
        (None, "100", "8"),
        (None, "12.5", "1"),
        ("9", None, "9"),
    ],
)
def test_a_part_of_eight(quantity: str | None, percent: str | None, meant: str) -> None:
    numbers = [None if text is None else Decimal(text) for text in (quantity, percent)]
    assert Part(quantity=numbers[0], percent=numbers[1]).of(Decimal(8)) == Decimal(meant)


@pytest.mark.parametrize(
    ("limit", "most", "refused"),
    [
        ("95", "500", False),
        ("94.99", "500", True),
        ("200", "0", False),
        ("100", "0", False),
        ("99.99", "0", True),
        ("0.01", "10000", False),
        ("1", None, False),
    ],
)
def test_a_limit_beside_a_last_price_of_a_hundred(
    limit: str, most: str | None, refused: bool
) -> None:
    floor = Floor(max_slippage_bps=None if most is None else Decimal(most))
    assert floor.refuses(Decimal(limit), Decimal(100)) is refused


def test_five_percent_is_the_most_where_nothing_is_said() -> None:
    assert Floor().refuses(Decimal("94.9"), Decimal(100))
    assert not Floor().refuses(Decimal(95), Decimal(100))
