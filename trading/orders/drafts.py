"""From what was asked to orders as they would be stored: on the increments, not yet saved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tenants.identifiers import new_id
from trading.brokers.models import Account
from trading.market.models import Instrument
from trading.market.queries import Quote
from trading.orders import funds
from trading.orders.errors import NoPrice, PriceTooSmall, QuantityTooSmall
from trading.orders.instructions import Instruction, StopLoss
from trading.orders.models import Order
from trading.orders.states import OrderStatus
from trading.values import (
    OrderType,
    Side,
    TimeInForce,
    plain,
    quantise_price,
    quantise_quantity,
)

_PRICES = ("limit_price", "stop_price", "trail_amount", "take_profit")
_COPIED = (
    "type",
    "notional",
    "limit_price",
    "stop_price",
    "trail_amount",
    "trail_percent",
    "time_in_force",
    "expires_at",
    "post_only",
    "reduce_only",
)
_FROM_ENTRY = (
    "account",
    "user_id",
    "instrument",
    "quantity",
    "maker_bps",
    "taker_bps",
    "slippage_bps",
    "expires_at",
    "placed_after",
    "placed_trade",
    "matched_through",
    "matched_trade",
    "created_at",
    "updated_at",
)


def quantised(asked: Instruction, instrument: Instrument) -> Instruction:
    """The same on the instrument's increments, where float noise is rounded away.

    Raises PriceTooSmall for a price that rounds to nothing, and QuantityTooSmall.
    """
    on_steps: dict[str, Any] = {name: _price(getattr(asked, name), instrument) for name in _PRICES}
    if asked.stop_loss is not None:
        stop = _price(asked.stop_loss.stop_price, instrument) or Decimal(0)
        limit = _price(asked.stop_loss.limit_price, instrument)
        on_steps["stop_loss"] = StopLoss(stop_price=stop, limit_price=limit)
    if asked.quantity is not None:
        quantity = quantise_quantity(asked.quantity, instrument.quantity_increment)
        on_steps["quantity"] = _enough(quantity, instrument)
    return replace(asked, **on_steps)


def digest(asked: Instruction) -> bytes:
    """What tells an instruction from another one with the same `client_order_id`."""
    text = json.dumps(asdict(asked), sort_keys=True, default=_told)
    return hashlib.sha256(text.encode()).digest()


def order(asked: Instruction, account: Account, instrument: Instrument, *, now: datetime) -> Order:
    """The order that a quantised instruction stands for, before it has met the market."""
    return Order(
        id=new_id(),
        account=account,
        user_id=account.user_id,
        instrument=instrument.symbol,
        side=asked.side,
        quantity=asked.quantity or Decimal(0),
        role=_role(asked),
        group=new_id() if asked.is_oco else None,
        client_order_id=asked.client_order_id or str(new_id()),
        digest=digest(asked),
        locked_currency=instrument.quote if asked.side == Side.BUY else instrument.base,
        maker_bps=account.maker_bps,
        taker_bps=account.taker_bps,
        slippage_bps=account.slippage_bps,
        created_at=now,
        updated_at=now,
        **{name: getattr(asked, name) for name in _COPIED},
    )


def meet_market(order: Order, asked: Instruction, instrument: Instrument, quote: Quote) -> None:
    """What follows from the last price and its place. Raises NoPrice or QuantityTooSmall.

    A price that is not on the tape is none that a replay knows: what trails begins without it.
    """
    order.place_known = order.place_met = quote.place
    if asked.quantity is None:
        order.quantity = _quantity(asked, instrument, quote.price)
    if order.type == OrderType.TRAILING_STOP and quote.place is not None:
        order.water_mark = quote.price


def reference(order: Order, quote: Quote) -> Decimal:
    """At which price a buy without a limit is reckoned with. Raises NoPrice."""
    price = order.stop_price or quote.price
    if price is None:
        raise NoPrice
    return price


def legs(entry: Order, asked: Instruction, instrument: Instrument) -> list[Order]:
    """What stands beside an order: a bracket's two legs, or the stop of an OCO."""
    group = entry.group or new_id()
    return [_leg(entry, role, group, instrument.base, prices) for role, prices in _legs(asked)]


def _legs(asked: Instruction) -> Iterator[tuple[str, dict[str, object]]]:
    if asked.take_profit is not None:
        prices = {"type": OrderType.LIMIT, "limit_price": asked.take_profit}
        yield Order.Role.TAKE_PROFIT, prices
    if asked.stop_loss is not None:
        stop, limit = asked.stop_loss.stop_price, asked.stop_loss.limit_price
        kind = OrderType.STOP if limit is None else OrderType.STOP_LIMIT
        yield Order.Role.STOP_LOSS, {"type": kind, "stop_price": stop, "limit_price": limit}


def _leg(entry: Order, role: str, group: UUID, base: str, prices: dict[str, object]) -> Order:
    """It sells what the entry bought, and waits until then; it stays as long as its entry may."""
    at_once = entry.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
    return Order(
        id=new_id(),
        side=Side.SELL,
        role=role,
        parent=entry,
        group=group,
        time_in_force=TimeInForce.GTC if at_once else entry.time_in_force,
        client_order_id=str(new_id()),
        locked_currency=base,
        status=OrderStatus.INITIALIZED,
        **prices,
        **{name: getattr(entry, name) for name in _FROM_ENTRY},
    )


def _role(asked: Instruction) -> str:
    if asked.is_oco:
        return Order.Role.TAKE_PROFIT
    return Order.Role.ENTRY if asked.has_legs else Order.Role.NONE


def _quantity(asked: Instruction, instrument: Instrument, last: Decimal | None) -> Decimal:
    """In the base asset: the notional divided by the limit or the last price."""
    price = asked.limit_price or last
    if price is None:
        raise NoPrice
    increment = instrument.quantity_increment
    wanted = funds.quantity_of(asked.notional or Decimal(0), price, increment)
    return _enough(wanted, instrument)


def _price(asked: Decimal | None, instrument: Instrument) -> Decimal | None:
    if asked is None:
        return None
    price = quantise_price(asked, instrument.price_increment)
    if price <= 0:
        raise PriceTooSmall(f"Prices move by {plain(instrument.price_increment)}.")
    return price


def _enough(quantity: Decimal, instrument: Instrument) -> Decimal:
    if quantity < instrument.min_quantity:
        raise QuantityTooSmall(f"At least {plain(instrument.min_quantity)}.")
    return quantity


def _told(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)
