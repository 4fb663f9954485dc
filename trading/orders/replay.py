"""An account's fills beside those that its orders and the market give again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from trading.brokers.models import Account
from trading.market import queries as market
from trading.market.models import Candle, Instrument
from trading.orders import reproduction, working_orders
from trading.orders.models import ACCOUNT_RESET, RESET_MODEL, Fill, Order
from trading.orders.outcomes import EndReason, Execution
from trading.orders.reproduction import Placed
from trading.orders.states import OrderStatus
from trading.values import plain

# Ends that the engine finds again by itself; the others came from outside the market.
_BY_ENGINE = {reason.value for reason in EndReason}
_NO_MARKET_S = Q(status=OrderStatus.FILLED, status_reason=ACCOUNT_RESET)


@dataclass(frozen=True, slots=True)
class Reproduction:
    """Fills in their canonical form, one line each: as stored, and as made again."""

    stored: list[str]
    again: list[str]

    @property
    def is_same(self) -> bool:
        return self.stored == self.again


def of_instrument(account: Account, symbol: str, timeframe: str) -> Reproduction:
    """Replay one account of the entered tenant over the stored bars of one timeframe.

    Nothing of an account at an exchange, whose fills no bar has made.
    """
    if not account.is_paper:
        return Reproduction([], [])
    instrument = market.instrument(symbol)
    rows = Order.objects.filter(account=account, instrument=symbol).exclude(_NO_MARKET_S)
    orders = list(rows.select_related("parent").order_by("created_at", "id"))
    made = reproduction.reproduce(
        _placed(orders, instrument, timeframe),
        (market.bar_of(candle) for candle in _tape(orders, symbol, timeframe)),
        working_orders.terms(account, instrument),
    )
    stored = Fill.objects.filter(account=account, instrument=symbol).exclude(model=RESET_MODEL)
    return Reproduction(
        [_line(fill) for fill in stored.order_by("id")], [_line(fill) for fill in made]
    )


def timeframe_of(account: Account, symbol: str) -> str | None:
    """The timeframe of the bars that made the account's fills; None without a fill by a bar."""
    sources = Fill.objects.filter(account=account, instrument=symbol).order_by("-id")
    for source in sources.values_list("source", flat=True):
        if "bar" in source:
            return str(source["bar"]["timeframe"])
    return None


def _tape(orders: list[Order], symbol: str, timeframe: str) -> Iterator[Candle]:
    """The bars that came after the first order was placed."""
    bars = market.candles(symbol, timeframe).order_by("start")
    known = [order.placed_after for order in orders if order.placed_after is not None]
    if known and len(known) == len(orders):
        bars = bars.filter(start__gt=min(known))
    return bars.iterator(2_000)


def _placed(orders: list[Order], instrument: Instrument, timeframe: str) -> list[Placed]:
    known = [order.placed_after for order in orders if order.placed_after is not None]
    candles = market.candles(instrument.symbol, timeframe).filter(start__in=known)
    closes: dict[datetime | None, Decimal] = dict(candles.values_list("start", "close"))
    return [
        Placed(
            placed=working_orders.as_placed(
                order, place, instrument, price=closes.get(order.placed_after)
            ),
            reserved=order.reserved,
            top_ups={datetime.fromisoformat(at): Decimal(amount) for at, amount in order.top_ups},
            ended_after=_ended_after(order),
            is_bound=order.notional is not None,
        )
        for place, order in enumerate(orders)
    ]


def _ended_after(order: Order) -> datetime | None:
    """Where somebody ended the order; what the engine ended, it ends again by itself."""
    by_engine = order.status_reason in _BY_ENGINE and order.status != OrderStatus.REPLACED
    return None if by_engine else order.ended_after


def _line(fill: Fill | Execution) -> str:
    numbers = {name: plain(getattr(fill, name)) for name in ("quantity", "price", "fee")}
    said = {
        "order": str(fill.order_id),
        "side": str(fill.side),
        "liquidity": str(fill.liquidity),
        "executed_at": fill.executed_at.isoformat(),
        "model": fill.model,
        "source": fill.source,
        **numbers,
    }
    return json.dumps(said, sort_keys=True)
