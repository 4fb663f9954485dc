"""Lots: the oldest is sold first, and the running numbers are what the lots come to."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given

from tests.trading.positions.lots import fold_fifo
from tests.trading.positions.test_pnl import fills
from trading.positions import pnl
from trading.positions.pnl import HoldingFill, Lot, Oversold
from trading.values import Side, exact

LOTS = [Lot(Decimal(quantity), Decimal(price)) for quantity, price in ((2, 100), (3, 110), (5, 90))]


@pytest.mark.parametrize(
    ("sold", "taken", "cost"),
    [
        ("1", ["1"], "100"),
        ("2", ["2"], "200"),
        ("2.5", ["2", "0.5"], "255"),
        ("5", ["2", "3"], "530"),
        ("10", ["2", "3", "5"], "980"),
    ],
)
def test_a_sale_takes_the_oldest_first(sold: str, taken: list[str], cost: str) -> None:
    sales = pnl.taken(LOTS, Decimal(sold))
    assert [sale.quantity for sale in sales] == [Decimal(part) for part in taken]
    assert [sale.price for sale in sales] == [lot.price for lot in LOTS[: len(taken)]]
    assert pnl.cost_of(sales) == Decimal(cost)


def test_no_more_is_taken_than_there_is() -> None:
    with pytest.raises(Oversold) as refused:
        pnl.taken(LOTS, Decimal("10.1"))
    assert (refused.value.held, refused.value.sold) == (10, Decimal("10.1"))


@given(fills())
def test_running_numbers_are_what_the_lots_come_to(stream: list[HoldingFill]) -> None:
    book = fold_fifo(stream)
    assert sum(lot.quantity for lot in book.lots) == book.quantity
    assert pnl.cost_of(book.lots) == book.cost_basis


@given(fills())
def test_lots_keep_the_order_and_the_prices_of_the_purchases(stream: list[HoldingFill]) -> None:
    bought = [fill.price for fill in stream if fill.side is Side.BUY]
    left = [lot.price for lot in fold_fifo(stream).lots]
    assert left == bought[len(bought) - len(left) :]


@given(fills())
def test_what_all_sales_took_together_is_gone_from_the_oldest(stream: list[HoldingFill]) -> None:
    """The rule by which lots are made for positions that had none."""
    sold = sum((f.quantity for f in stream if f.side is Side.SELL), Decimal(0))
    bought, left = Decimal(0), []
    with exact():
        for fill in (f for f in stream if f.side is Side.BUY):
            bought += fill.quantity
            rest = min(fill.quantity, max(Decimal(0), bought - sold))
            left += [Lot(rest, fill.price)] if rest else []
    assert fold_fifo(stream).lots == tuple(left)
