"""An account's fills beside those that its orders and the market give again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from trading.brokers.models import Account
from trading.market import queries as market
from trading.market import tape
from trading.market.models import Instrument
from trading.market.places import Place
from trading.orders import reproduction, working_orders
from trading.orders.models import ACCOUNT_RESET, RESET_MODEL, Fill, Order
from trading.orders.outcomes import EndReason, Execution
from trading.orders.reproduction import Placed
from trading.orders.states import OPEN, OrderStatus
from trading.orders.time_in_force import LATE
from trading.values import plain

# Ends that the engine finds again by itself; the others came from outside the market, and some of
# those for a date from the timer, whose clock is not the market's.
_BY_ENGINE = {reason.value for reason in EndReason} - {reason.value for reason in LATE.values()}
_NO_MARKET_S = Q(status=OrderStatus.FILLED, status_reason=ACCOUNT_RESET)
# Somebody ended it before anything was on the tape.
_ENDED_UNMET = Q(
    status__in=[OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REPLACED], ended_after=None
)

# In an account that was halted before.
_STANDS_UNMET = Q(status__in=[status.value for status in OPEN], matched_through=None)


@dataclass(frozen=True, slots=True)
class Reproduction:
    """Fills in their canonical form, one line each: as stored, and as made again."""

    stored: list[str]
    again: list[str]

    @property
    def is_same(self) -> bool:
        return self.stored == self.again


def of_instrument(account: Account, symbol: str) -> Reproduction:
    """Replay one account of the entered tenant over the tape.

    Nothing of an account at an exchange, whose fills no market of ours has made.
    """
    if not account.is_paper:
        return Reproduction([], [])
    instrument = market.instrument(symbol)
    rows = Order.objects.filter(account=account, instrument=symbol)
    rows = rows.exclude(_NO_MARKET_S | _ENDED_UNMET)
    if account.status == Account.Status.HALTED:
        rows = rows.exclude(_STANDS_UNMET)
    orders = list(rows.select_related("account", "parent").order_by("created_at", "id"))
    made = reproduction.reproduce(
        _placed(orders, instrument),
        tape.since(symbol, _start(orders)),
        working_orders.terms(account, instrument),
    )
    stored = Fill.objects.filter(account=account, instrument=symbol).exclude(model=RESET_MODEL)
    return Reproduction(
        [_line(fill) for fill in stored.order_by("id")], [_line(fill) for fill in made]
    )


def _start(orders: list[Order]) -> datetime | None:
    """When the first order was placed, by the tape; None for one that knew nothing of it."""
    known = [order.placed_after for order in orders if order.placed_after is not None]
    return min(known) if known and len(known) == len(orders) else None


def _placed(orders: list[Order], instrument: Instrument) -> list[Placed]:
    known = [order.place_known for order in orders]
    prices = tape.prices(instrument.symbol, filter(None, known))
    return [
        Placed(
            placed=working_orders.as_placed(
                order, turn, instrument, price=None if at is None else prices.get(at)
            ),
            reserved=order.reserved,
            top_ups={key: Decimal(amount) for key, amount in order.top_ups},
            ended_after=_ended_after(order),
            is_bound=order.notional is not None,
        )
        for turn, (order, at) in enumerate(zip(orders, known, strict=True))
    ]


def _ended_after(order: Order) -> Place | None:
    """Where somebody ended the order, or its halted account stands still; what the engine ended,
    it ends again by itself."""
    if order.status in OPEN:
        return order.place_met if order.account.status == Account.Status.HALTED else None
    by_engine = order.status_reason in _BY_ENGINE and order.status != OrderStatus.REPLACED
    return None if by_engine else order.place_ended


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
