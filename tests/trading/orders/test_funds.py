"""What orders lock, and what trading costs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trading.orders import costs, funds
from trading.orders.costs import Costs
from trading.values import Liquidity, Side


def test_limit_buy_locks_the_limit_and_the_fee() -> None:
    assert funds.limit_buy(Decimal(10), Decimal(100), Decimal(20)) == Decimal(1002)


def test_market_buy_leaves_room_for_the_open_to_move() -> None:
    assert funds.market_buy(Decimal(10), Decimal(100), Decimal(20)) == Decimal("1052.1")


def test_notional_buy_locks_the_sum_and_the_fee() -> None:
    assert funds.notional_buy(Decimal(500), Decimal(20)) == Decimal(501)


def test_a_lock_goes_up_to_the_smallest_step_of_money() -> None:
    locked = funds.limit_buy(Decimal("0.00000001"), Decimal("0.33"), Decimal(10))
    assert locked == Decimal("0.00000001")


@pytest.mark.parametrize(
    ("notional", "price", "increment", "expected"),
    [
        ("1000", "300", "1", "3"),
        ("1000", "300", "0.001", "3.333"),
        ("1000", "0.1", "1", "10000"),
        ("10", "300", "1", "0"),
    ],
)
def test_a_notional_stands_for_a_quantity_on_the_increment(
    notional: str, price: str, increment: str, expected: str
) -> None:
    quantity = funds.quantity_of(Decimal(notional), Decimal(price), Decimal(increment))
    assert quantity == Decimal(expected)


def test_a_fee_is_rounded_down_so_that_parts_never_exceed_the_whole() -> None:
    dear = Costs(taker_bps=Decimal(15))
    assert costs.fee(Decimal("0.00001"), Liquidity.TAKER, dear) == Decimal("0.00000001")
    assert costs.fee(Decimal(1000), Liquidity.MAKER, dear) == 0


def test_slippage_goes_against_the_trader() -> None:
    wide = Costs(slippage_bps=Decimal(100))
    assert costs.slipped(Decimal(100), Side.BUY, wide) == 101
    assert costs.slipped(Decimal(100), Side.SELL, wide) == 99


@pytest.mark.parametrize("wrong", [{"maker_bps": -1}, {"taker_bps": -1}, {"slippage_bps": 10_000}])
def test_impossible_costs_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must"):
        Costs(**{name: Decimal(value) for name, value in wrong.items()})
