"""A fill can be explained, and made again, from its source alone."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given

from tests.trading.examples import COSTLY, a_bar, an_order, only, terms
from tests.trading.orders import drawn
from tests.trading.orders.told import buy, sell
from trading.market.bars import Bar
from trading.orders.costs import Costs
from trading.orders.matching import MODEL, match
from trading.orders.outcomes import Execution
from trading.orders.working import Terms, WorkingOrder
from trading.values import Increments, OrderType, Side, TimeInForce

NOT_NUMBERS = {"type", "side", "time_in_force", "post_only", "is_resting", "is_triggered"}


def test_a_fill_names_everything_it_follows_from() -> None:
    order = buy(2, stop="103", limit="104", spendable="5000", is_resting=True)
    taken = an_order(1, remaining=Decimal(5))
    outcome = match([taken, order], a_bar(volume="200"), terms(COSTLY))
    assert outcome.executions[1].model == MODEL == "bar-2"
    assert json.loads(json.dumps(outcome.executions[1].source)) == {
        "rule": "stop_limit_at_stop",
        "parameters": {
            "maker_bps": "10",
            "taker_bps": "20",
            "slippage_bps": "5",
            "price_increment": "0.01",
            "quantity_increment": "0.001",
            "participation": "0.1",
            "touch": False,
        },
        "order": {
            "type": "stop_limit",
            "side": "buy",
            "time_in_force": "gtc",
            "remaining": "10",
            "limit_price": "104",
            "stop_price": "103",
            "trail_amount": None,
            "trail_percent": None,
            "water_mark": None,
            "spendable": "5000",
            "reducible": None,
            "post_only": False,
            "is_resting": True,
            "is_triggered": False,
        },
        "trigger": {"level": "103", "water_mark": None},
        "capacity": "15",
        "bar": {
            "symbol": "GOOG",
            "timeframe": "1h",
            "start": "2024-03-04T09:00:00+00:00",
            "open": "100",
            "high": "105",
            "low": "95",
            "close": "101",
            "volume": "200",
        },
    }


@pytest.mark.parametrize(
    ("order", "trigger"),
    [
        (sell(trail="6", mark="99"), {"level": "94", "water_mark": "100"}),
        (sell(limit="97"), None),
    ],
)
def test_the_mark_that_a_bar_reached_is_told_with_its_level(
    order: WorkingOrder, trigger: dict[str, str] | None
) -> None:
    fill = only(match([order], a_bar("100 100 93 95"), terms()))
    assert fill.source["trigger"] == trigger
    assert fill.source["capacity"] is None


@given(drawn.books(), drawn.bars(), drawn.costs)
def test_a_fill_is_made_again_from_its_source(
    book: list[WorkingOrder], bar: Bar, costs: Costs
) -> None:
    for fill in match(book, bar, terms(costs)).executions:
        again = _made_again(json.loads(json.dumps(fill.source)))
        assert (again.price, again.quantity, again.fee) == (fill.price, fill.quantity, fill.fee)
        assert (again.liquidity, again.executed_at) == (fill.liquidity, fill.executed_at)
        assert again.source == fill.source


def _made_again(source: dict[str, Any]) -> Execution:
    bar, on, order = _bar(source["bar"]), _terms(source["parameters"]), _order(source["order"])
    share = bar.volume * on.participation
    taken = Decimal(0) if source["capacity"] is None else share - Decimal(source["capacity"])
    return only(match([order], bar, on, taken=taken))


def _bar(told: dict[str, str]) -> Bar:
    numbers = [Decimal(told[name]) for name in ("open", "high", "low", "close", "volume")]
    start = datetime.fromisoformat(told["start"])
    return Bar(told["symbol"], told["timeframe"], start, *numbers)


def _terms(told: dict[str, Any]) -> Terms:
    costs = {name: Decimal(told[name]) for name in told if name.endswith("_bps")}
    return Terms(
        costs=Costs(**costs),
        increments=Increments(
            Decimal(told["price_increment"]), Decimal(told["quantity_increment"])
        ),
        participation=Decimal(told["participation"]),
        touch=told["touch"],
    )


def _order(told: dict[str, Any]) -> WorkingOrder:
    numbers = {
        name: value if value is None else Decimal(value)
        for name, value in told.items()
        if name not in NOT_NUMBERS
    }
    return WorkingOrder(
        id=UUID(int=1),
        account=UUID(int=1000),
        symbol="GOOG",
        sequence=1,
        type=OrderType(told["type"]),
        side=Side(told["side"]),
        time_in_force=TimeInForce(told["time_in_force"]),
        post_only=told["post_only"],
        is_resting=told["is_resting"],
        is_triggered=told["is_triggered"],
        **numbers,
    )
