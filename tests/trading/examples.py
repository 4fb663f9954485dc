"""Orders, bars and terms of a few words, for tests of the pure modules."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from trading.market.bars import Bar
from trading.orders.costs import Costs
from trading.orders.states import OrderStatus
from trading.orders.working import EndReason, Execution, Outcome, Terms, WorkingOrder
from trading.values import Increments, OrderType, Side

MORNING = datetime(2024, 3, 4, 9, tzinfo=UTC)
FREE = Costs()
COSTLY = Costs(maker_bps=Decimal(10), taker_bps=Decimal(20), slippage_bps=Decimal(5))
CENTS = Increments(price=Decimal("0.01"), quantity=Decimal("0.001"))


def a_bar(prices: str = "100 105 95 101", *, volume: str = "0", **changes: Any) -> Bar:
    """An hour of GOOG; `prices` are open, high, low and close. No volume, and so no cap."""
    numbers = [Decimal(price) for price in prices.split()]
    fields = {"symbol": "GOOG", "timeframe": "1h", "start": MORNING, **changes}
    return Bar(
        **dict(zip(("open", "high", "low", "close"), numbers, strict=True)),
        volume=Decimal(volume),
        **fields,
    )


def an_order(number: int = 1, **changes: Any) -> WorkingOrder:
    """A market order for 10 GOOG; a limit order when `limit_price` is given."""
    if isinstance(limit := changes.get("limit_price"), str):
        changes["limit_price"] = Decimal(limit)
    fields: dict[str, Any] = {
        "id": UUID(int=number),
        "account": UUID(int=1000),
        "symbol": "GOOG",
        "side": Side.BUY,
        "type": OrderType.LIMIT if limit else OrderType.MARKET,
        "remaining": Decimal(10),
        "sequence": number,
    }
    return WorkingOrder(**{**fields, **changes})


def terms(costs: Costs = FREE, **changes: Any) -> Terms:
    return Terms(**{"costs": costs, "increments": CENTS, **changes})


def fill_of(outcome: Outcome) -> tuple[str, str] | None:
    """Price and liquidity of the one execution, if there is one."""
    if not outcome.executions:
        return None
    (execution,) = outcome.executions
    return f"{execution.price.normalize():f}", execution.liquidity.value


def end_of(outcome: Outcome) -> tuple[EndReason, OrderStatus] | None:
    if not outcome.expirations:
        return None
    (ended,) = outcome.expirations
    return ended.reason, ended.status


def only(outcome: Outcome) -> Execution:
    (execution,) = outcome.executions
    return execution
