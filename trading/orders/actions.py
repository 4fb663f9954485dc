"""What may be done with orders: place, cancel, expire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from accounts.audit import actions as audit
from tenants.identifiers import new_id
from trading.brokers import actions as brokers
from trading.brokers.models import Account
from trading.errors import (
    AccountHalted,
    AlreadyExpired,
    ClientOrderIdReused,
    NoPrice,
    NotFound,
    NotTradable,
    OrderNotOpen,
    PriceTooSmall,
    QuantityTooSmall,
    UnsupportedOrder,
)
from trading.market import queries as market
from trading.market.models import Instrument
from trading.notifications import events
from trading.orders import funds, states
from trading.orders.models import Order
from trading.orders.states import OrderStatus
from trading.positions import actions as positions
from trading.values import (
    OrderType,
    Side,
    TimeInForce,
    exact,
    plain,
    quantise_price,
    quantise_quantity,
)

_PLACED = (
    "account_id",
    "instrument",
    "side",
    "type",
    "quantity",
    "notional",
    "limit_price",
    "time_in_force",
    "expires_at",
    "post_only",
    "client_order_id",
)
SUPPORTED = frozenset({OrderType.MARKET, OrderType.LIMIT})
# What makes two requests with one client_order_id the same request, besides price and quantity,
# which are stored on the instrument's increments.
_IDENTITY = (
    "account_id",
    "instrument",
    "side",
    "type",
    "notional",
    "time_in_force",
    "expires_at",
    "post_only",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What a trader asks for; exactly one of `quantity` (base) and `notional` (quote)."""

    account_id: UUID
    instrument: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    expires_at: datetime | None = None
    post_only: bool = False
    client_order_id: str = ""


def place(asked: Instruction, *, now: datetime) -> tuple[Order, bool]:
    """Accept an order and lock what it needs; True when it is new, False when it was there.

    Raises NotFound, AccountHalted, UnsupportedOrder, NotTradable, NoPrice, QuantityTooSmall,
    InsufficientFunds, InsufficientPosition, or ClientOrderIdReused.
    """
    account = brokers.lock(asked.account_id)
    instrument = market.instrument(asked.instrument)
    known = Order.objects.filter(account=account, client_order_id=asked.client_order_id).first()
    if known is not None:
        return _same(known, asked, instrument), False
    _check(asked, account, instrument, now=now)
    order = _draft(asked, account, instrument, now=now)
    _lock_means(order, account)
    states.step(OrderStatus.INITIALIZED, OrderStatus.SUBMITTED)
    states.step(OrderStatus.SUBMITTED, OrderStatus.ACCEPTED)
    order.status = OrderStatus.ACCEPTED
    order.save(force_insert=True)
    placed = {name: getattr(order, name) for name in _PLACED}
    audit.record("order.placed", on=order, after=placed)
    _tell(order, "order.accepted", now)
    return order, True


def cancel(*, order_id: UUID, now: datetime) -> Order:
    """Take an open order back and free what it locked. Raises NotFound or OrderNotOpen."""
    order = _locked(order_id)
    if order.status not in states.OPEN:
        raise OrderNotOpen(f"The order is {order.status}.")
    _end_and_record(order, OrderStatus.CANCELED, reason="canceled_by_user", now=now)
    return order


def cancel_all(*, user_id: UUID, account_id: UUID | None, now: datetime) -> list[Order]:
    """Cancel every order of a person that is open by then, or those of one account."""
    rows = Order.objects.open().filter(user_id=user_id)
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    orders = _still_open(rows)
    for order in orders:
        _end_and_record(order, OrderStatus.CANCELED, reason="canceled_by_user", now=now)
    return orders


def expire_due(*, now: datetime) -> int:
    """End orders whose time has come; gives how many."""
    orders = _still_open(Order.objects.open().filter(expires_at__lte=now))
    for order in orders:
        _end_and_record(order, OrderStatus.EXPIRED, reason="time_in_force", now=now)
    return len(orders)


def end(order: Order, status: OrderStatus, *, reason: str, now: datetime) -> None:
    """Bring a locked order to its end, and free what it still held."""
    order.status = states.step(OrderStatus(order.status), status)
    order.status_reason = reason
    release(order, order.locked)
    order.updated_at = now
    order.save(update_fields=["status", "status_reason", "locked", "updated_at"])
    _tell(order, f"order.{status.value}", now)


@exact()
def release(order: Order, amount: Decimal) -> None:
    """Give back part of what an order locked: money for a buy, quantity for a sell."""
    order.locked -= amount
    if not amount:
        return
    if order.side == Side.BUY:
        balance = brokers.balance_of(order.account, order.locked_currency)
        brokers.move(balance, free=amount, locked=-amount)
    else:
        positions.unlock(order.account, order.instrument, amount)


def _end_and_record(order: Order, status: OrderStatus, *, reason: str, now: datetime) -> None:
    before = order.status
    end(order, status, reason=reason, now=now)
    after = {"status": order.status, "reason": reason, "filled_quantity": order.filled_quantity}
    audit.record(f"order.{status.value}", on=order, before={"status": before}, after=after)


def _check(asked: Instruction, account: Account, instrument: Instrument, *, now: datetime) -> None:
    """What can be said no to before any number is looked at."""
    if account.status != Account.Status.ACTIVE:
        raise AccountHalted
    if asked.type not in SUPPORTED:
        raise UnsupportedOrder(f"Types: {', '.join(sorted(SUPPORTED))}.")
    if not instrument.tradable:
        raise NotTradable
    if asked.expires_at is not None and asked.expires_at <= now:
        raise AlreadyExpired


def _limit_price(asked: Instruction, instrument: Instrument) -> Decimal | None:
    """On the instrument's increment. Raises PriceTooSmall for one that rounds to nothing."""
    if asked.limit_price is None:
        return None
    price = quantise_price(asked.limit_price, instrument.price_increment)
    if price <= 0:
        raise PriceTooSmall(f"Prices move by {plain(instrument.price_increment)}.")
    return price


def _draft(asked: Instruction, account: Account, instrument: Instrument, *, now: datetime) -> Order:
    """The order as it would be stored, quantised, before anything is locked."""
    quote = market.quote(instrument.symbol)
    limit_price = _limit_price(asked, instrument)
    return Order(
        account=account,
        user_id=account.user_id,
        instrument=instrument.symbol,
        side=asked.side,
        type=asked.type,
        quantity=_quantity(asked, instrument, limit_price or quote.price),
        notional=asked.notional,
        limit_price=limit_price,
        time_in_force=asked.time_in_force,
        expires_at=asked.expires_at,
        post_only=asked.post_only,
        client_order_id=asked.client_order_id or str(new_id()),
        locked_currency=instrument.quote if asked.side == Side.BUY else instrument.base,
        matched_through=quote.at,
        created_at=now,
        updated_at=now,
    )


def _quantity(asked: Instruction, instrument: Instrument, price: Decimal | None) -> Decimal:
    """Base quantity, down to the increment; a notional is divided by the limit or last price."""
    wanted = asked.quantity
    if wanted is None:
        if price is None:
            raise NoPrice
        increment = instrument.quantity_increment
        quantity = funds.quantity_of(asked.notional or Decimal(0), price, increment)
    else:
        quantity = quantise_quantity(wanted, instrument.quantity_increment)
    if quantity < instrument.min_quantity:
        raise QuantityTooSmall(f"At least {plain(instrument.min_quantity)}.")
    return quantity


def _same(known: Order, asked: Instruction, instrument: Instrument) -> Order:
    """The order of an earlier, equal request. Raises ClientOrderIdReused for another one."""
    differs = any(getattr(known, name) != getattr(asked, name) for name in _IDENTITY)
    if differs or known.limit_price != _limit_price(asked, instrument):
        raise ClientOrderIdReused
    if asked.quantity is not None and known.quantity != quantise_quantity(
        asked.quantity, instrument.quantity_increment
    ):
        raise ClientOrderIdReused
    return known


@exact()
def _lock_means(order: Order, account: Account) -> None:
    if order.side == Side.SELL:
        positions.lock_quantity(account, order.instrument, order.quantity)
        order.locked = order.quantity
        return
    order.locked = _cost(order, account)
    balance = brokers.balance_of(account, order.locked_currency)
    brokers.move(balance, free=-order.locked, locked=order.locked)


def _cost(order: Order, account: Account) -> Decimal:
    fee_bps = max(account.maker_bps, account.taker_bps)
    if order.limit_price is not None:
        return funds.limit_buy(order.quantity, order.limit_price, fee_bps)
    if order.notional is not None:
        return funds.notional_buy(order.notional, fee_bps)
    price = market.quote(order.instrument).price
    if price is None:
        raise NoPrice
    return funds.market_buy(order.quantity, price, fee_bps)


def _still_open(rows: QuerySet[Order]) -> list[Order]:
    """The orders, locked in the house's order; without those that ended while we waited."""
    ids = list(rows.order_by("account_id", "id").values_list("id", flat=True))
    orders = [_locked(order_id) for order_id in ids]
    return [order for order in orders if order.status in states.OPEN]


def _locked(order_id: UUID) -> Order:
    """An order with its account's lock held first, then its own. Raises NotFound."""
    account_id = Order.objects.filter(pk=order_id).values_list("account_id", flat=True).first()
    if account_id is None:
        raise NotFound("There is no such order.")
    account = brokers.lock(account_id)
    order = Order.objects.select_for_update().get(pk=order_id)
    order.account = account
    return order


def _tell(order: Order, kind: str, now: datetime) -> None:
    data = {"order": str(order.id), "instrument": order.instrument, "status": order.status}
    events.publish(user_id=order.user_id, kind=kind, data=data, now=now)
