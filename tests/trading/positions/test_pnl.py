"""Positions as folds of fills: average cost, lots, and what both agree on."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.positions.lots import FifoBook, fold_fifo
from trading.positions import pnl
from trading.positions.pnl import HoldingFill, Lot, Oversold
from trading.values import Side, exact


def buy(quantity: str, price: str, fee: str = "0") -> HoldingFill:
    return HoldingFill(Side.BUY, Decimal(quantity), Decimal(price), Decimal(fee))


def sell(quantity: str, price: str, fee: str = "0") -> HoldingFill:
    return HoldingFill(Side.SELL, Decimal(quantity), Decimal(price), Decimal(fee))


TWO_BUYS = [buy("10", "100", "1"), buy("10", "110", "1.1")]


@st.composite
def fills(draw: st.DrawFn, *, flat: bool = False) -> list[HoldingFill]:
    """A stream that never sells more than it holds; `flat` sells what is left at the end."""
    held, stream = Decimal(0), []
    for _ in range(draw(st.integers(1, 8))):
        side = draw(st.sampled_from(Side)) if held else Side.BUY
        most = held if side is Side.SELL else Decimal(100)
        quantity = draw(st.decimals("0.00000001", most, places=8))
        price = draw(st.decimals("0.00001", "90000", places=5))
        fee = draw(st.decimals("0", "10", places=8))
        stream.append(HoldingFill(side, quantity, price, fee))
        held += quantity if side is Side.BUY else -quantity
    if flat and held:
        stream.append(HoldingFill(Side.SELL, held, draw(st.decimals("0.01", "999", places=2))))
    return stream


@pytest.mark.parametrize(
    ("case", "more", "quantity", "average", "basis", "realized"),
    [
        ("nothing sold", [], "20", "105", "2100", "0"),
        ("a part sold", [sell("15", "120")], "5", "105", "525", "225"),
        ("all sold", [sell("20", "120")], "0", "0", "0", "300"),
        ("sold in parts", [sell("5", "120"), sell("15", "90")], "0", "0", "0", "-150"),
        ("bought again", [sell("20", "120"), buy("1", "130")], "1", "130", "130", "300"),
    ],
)
def test_average_cost(
    case: str, more: list[HoldingFill], quantity: str, average: str, basis: str, realized: str
) -> None:
    holding = pnl.fold([*TWO_BUYS, *more])
    seen = (holding.quantity, holding.average_price, holding.cost_basis, holding.realized_pnl)
    assert seen == tuple(map(Decimal, (quantity, average, basis, realized))), case
    assert holding.fees == Decimal("2.1")


@pytest.mark.parametrize(
    ("case", "more", "lots", "realized"),
    [
        ("nothing sold", [], [("10", "100"), ("10", "110")], "0"),
        ("a part of a lot", [sell("4", "120")], [("6", "100"), ("10", "110")], "80"),
        ("a whole lot", [sell("10", "120")], [("10", "110")], "200"),
        ("over two lots", [sell("15", "120")], [("5", "110")], "250"),
        ("all sold", [sell("20", "120")], [], "300"),
    ],
)
def test_first_in_first_out(
    case: str, more: list[HoldingFill], lots: list[tuple[str, str]], realized: str
) -> None:
    book = fold_fifo([*TWO_BUYS, *more])
    assert book.lots == tuple(Lot(Decimal(q), Decimal(p)) for q, p in lots), case
    assert book.realized_pnl == Decimal(realized), case
    assert book.fees == Decimal("2.1")


@pytest.mark.parametrize("fold", [pnl.fold, fold_fifo])
def test_more_than_is_held_cannot_be_sold(fold: object) -> None:
    with pytest.raises(Oversold) as refused:
        fold([*TWO_BUYS, sell("20.5", "120")])
    assert (refused.value.held, refused.value.sold) == (20, Decimal("20.5"))


def test_a_fill_of_nothing_or_for_nothing_is_refused() -> None:
    for quantity, price in (("0", "1"), ("1", "0"), ("-1", "1")):
        with pytest.raises(ValueError, match="positive"):
            buy(quantity, price)


def test_a_missing_price_leaves_the_profit_unknown() -> None:
    holding = pnl.fold(TWO_BUYS)
    assert pnl.unrealized(holding, None) is None
    assert pnl.market_value(holding, None) is None
    assert pnl.unrealized(holding, Decimal(108)) == 60
    assert pnl.market_value(holding, Decimal(108)) == 2160


def test_nothing_held_is_worth_nothing_at_any_price() -> None:
    assert pnl.unrealized(pnl.Holding(), None) == 0
    assert pnl.unrealized(FifoBook(), None) == 0


def test_a_third_sold_leaves_no_crumb_when_the_rest_goes() -> None:
    holding = pnl.fold([buy("3", "0.1"), sell("1", "1"), sell("1", "1")])
    assert pnl.apply(holding, sell("1", "1")).cost_basis == 0


@given(fills(flat=True))
def test_lots_and_average_agree_when_flat(stream: list[HoldingFill]) -> None:
    holding, book = pnl.fold(stream), fold_fifo(stream)
    assert holding.quantity == book.quantity == holding.cost_basis == book.cost_basis == 0
    assert holding.realized_pnl == book.realized_pnl
    assert holding.fees == book.fees


@given(fills(), st.decimals("0.01", "90000", places=2))
def test_total_profit_is_the_same_however_cost_is_counted(
    stream: list[HoldingFill], price: Decimal
) -> None:
    holding, book = pnl.fold(stream), fold_fifo(stream)
    open_profits = pnl.unrealized(holding, price), pnl.unrealized(book, price)
    assert open_profits[0] is not None
    assert open_profits[1] is not None
    with exact():
        assert holding.realized_pnl + open_profits[0] == book.realized_pnl + open_profits[1]


@given(fills())
def test_quantity_is_the_sum_of_signed_fills(stream: list[HoldingFill]) -> None:
    signed = (f.quantity if f.side is Side.BUY else -f.quantity for f in stream)
    assert pnl.fold(stream).quantity == sum(signed) == fold_fifo(stream).quantity


@given(fills())
def test_cost_and_average_price_tell_one_story(stream: list[HoldingFill]) -> None:
    holding = pnl.fold(stream)
    with exact():
        apart = abs(holding.average_price * holding.quantity - holding.cost_basis)
        assert apart <= holding.quantity * Decimal("1e-18")
