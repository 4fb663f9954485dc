"""Where the exits of a bracket and of an OCO may lie, as a table."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from trading.orders import exits
from trading.orders.faults import faults
from trading.orders.instructions import Instruction, StopLoss
from trading.values import OrderType, Side, TimeInForce

LAST = Decimal(100)
PROFIT, STOP, STOP_LIMIT = (
    "take_profit.limit_price",
    "stop_loss.stop_price",
    "stop_loss.limit_price",
)


def bracket(
    entry: str, profit: str | None = None, stop: str | None = None, stop_limit: str | None = None
) -> Instruction:
    """`entry` is the type and its prices: `market`, `limit 100`, `stop_limit 110 112`."""
    kind, *prices = entry.split()
    named = {"limit": ["limit_price"], "stop": ["stop_price"]}
    names = named.get(kind, ["stop_price", "limit_price"])
    return asked(Side.BUY, kind, dict(zip(names, prices, strict=False)), profit, stop, stop_limit)


def oco(limit: str, stop: str, stop_limit: str | None = None) -> Instruction:
    return asked(Side.SELL, "limit", {"limit_price": limit}, None, stop, stop_limit, is_oco=True)


def asked(
    side: Side,
    kind: str,
    prices: dict[str, str],
    profit: str | None,
    stop: str | None,
    stop_limit: str | None,
    *,
    is_oco: bool = False,
) -> Instruction:
    limit = None if stop_limit is None else Decimal(stop_limit)
    return Instruction(
        account_id=UUID(int=1),
        instrument="X/USD",
        side=side,
        type=OrderType(kind),
        time_in_force=TimeInForce.GTC,
        quantity=Decimal(1),
        trail_amount=Decimal(1) if kind == "trailing_stop" else None,
        take_profit=None if profit is None else Decimal(profit),
        stop_loss=None if stop is None else StopLoss(stop_price=Decimal(stop), limit_price=limit),
        is_oco=is_oco,
        **{name: Decimal(price) for name, price in prices.items()},
    )


@pytest.mark.parametrize(
    "order",
    [
        bracket("market", "100.01", "99.99"),
        bracket("market", "120"),
        bracket("market", None, "90"),
        bracket("limit 95", "95.01", "94.99"),
        bracket("limit 95", "99", "90", "90"),
        bracket("limit 110", "111", "105"),
        bracket("stop 110", "110.01", "109.99"),
        bracket("stop_limit 110 112", "113", "109", "108"),
        bracket("trailing_stop", "101", "90"),
        oco("100.01", "99.99"),
        oco("120", "90", "90"),
        oco("120", "90", "85"),
    ],
)
def test_exits_on_their_sides_are_taken(order: Instruction) -> None:
    assert [*faults(order), *exits.misplaced(order, LAST)] == []


@pytest.mark.parametrize(
    ("order", "named"),
    [
        (bracket("limit 100", "100", "90"), [PROFIT]),
        (bracket("limit 100", "95", "90"), [PROFIT]),
        (bracket("limit 100", "90"), [PROFIT]),
        (bracket("limit 100", "120", "100"), [STOP]),
        (bracket("limit 100", "120", "110"), [STOP]),
        (bracket("limit 100", None, "101"), [STOP]),
        (bracket("limit 100", "90", "80"), [PROFIT]),
        (bracket("limit 100", "90", "110"), [PROFIT, STOP]),
        (bracket("limit 100", "120", "120"), [STOP]),
        (bracket("stop 110", "110", "90"), [PROFIT]),
        (bracket("stop 110", "105"), [PROFIT]),
        (bracket("stop 110", None, "110"), [STOP]),
        (bracket("stop_limit 110 112", "111", "90"), [PROFIT]),
        (bracket("stop_limit 110 112", "120", "111"), [STOP]),
        (bracket("market", "120", "90", "91"), [STOP_LIMIT]),
        (bracket("limit 100", "0", "90"), [PROFIT, "greater than zero"]),
        (bracket("limit 100", "-5", "90"), [PROFIT, "greater than zero"]),
        (bracket("limit 100", None, "0"), ["greater than zero"]),
        (bracket("limit 100", None, "90", "0"), ["greater than zero"]),
        (oco("120", "120"), [STOP]),
        (oco("120", "130"), [STOP]),
        (oco("120", "90", "95"), [STOP_LIMIT]),
        (oco("120", "-1"), ["greater than zero"]),
    ],
)
def test_exits_that_contradict_the_order_are_named(order: Instruction, named: list[str]) -> None:
    said = " ".join(faults(order))
    assert [name for name in named if name not in said] == []


@pytest.mark.parametrize(
    ("order", "named"),
    [
        (bracket("market", "100"), PROFIT),
        (bracket("market", "99", "90"), PROFIT),
        (bracket("market", None, "100"), STOP),
        (bracket("market", "120", "101"), STOP),
        (oco("100", "90"), "limit_price"),
        (oco("99", "90"), "limit_price"),
        (oco("120", "100"), STOP),
        (oco("120", "105"), STOP),
    ],
)
def test_without_a_price_of_its_own_an_order_goes_by_the_last_one(
    order: Instruction, named: str
) -> None:
    assert faults(order) == []
    (said,) = exits.misplaced(order, LAST)
    assert said.startswith(f"Put {named} ")
    assert list(exits.misplaced(order, None)) == []
