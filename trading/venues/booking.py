"""What an exchange did, in the books: fills, ends, and money that no fill explains."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid5

from accounts.audit import actions as audit
from tenants.identifiers import new_id
from trading.brokers import actions as brokers
from trading.brokers.models import Account
from trading.market import queries as market
from trading.market.models import Instrument
from trading.orders import endings, fills, outbox, states
from trading.orders.models import Fill, Order, VenueIntent
from trading.orders.states import OrderStatus
from trading.positions import actions as positions
from trading.positions import pnl
from trading.values import Liquidity, Side, exact, plain
from trading.venues import fees
from trading.venues.differences import Flow
from trading.venues.facts import VenueTrade

MODEL = "venue-1"
_PLACES = Decimal(1).scaleb(-18)
_FILLED = ("filled_quantity", "average_price", "fees", "status", "locked", "updated_at")


def trade_id(trade: VenueTrade) -> str:
    """Unique in an account: the same trade is booked once."""
    return f"venue:{trade.id}"


def accept(order: Order, venue_order_id: str, *, now: datetime) -> None:
    """Note that the exchange has a locked order, by which name; again changes nothing."""
    placed = VenueIntent.objects.filter(order=order, kind=VenueIntent.Kind.PLACE)
    answered = {"state": VenueIntent.State.ANSWERED, "last_error": "", "answered_at": now}
    if not placed.outstanding().update(venue_order_id=venue_order_id, **answered):
        return
    if order.status == OrderStatus.SUBMITTED:
        _step(order, OrderStatus.ACCEPTED, now)


def refuse(order: Order, *, reason: str, now: datetime) -> None:
    """End a locked order that the exchange has not taken, and free what it locked."""
    if order.status != OrderStatus.PENDING_CANCEL:
        _end(order, OrderStatus.REJECTED, reason, now)
        return
    _end(order, outbox.end_of(order.status_reason), order.status_reason or reason, now)


def end(order: Order, status: OrderStatus, *, reason: str, now: datetime) -> None:
    """End a locked order as the exchange ended it, or for what it was to be taken back."""
    if order.status == OrderStatus.PENDING_CANCEL and order.status_reason:
        status, reason = outbox.end_of(order.status_reason), order.status_reason
    _end(order, status, reason, now)


def reopen(order: Order, *, now: datetime) -> None:
    """A locked order is at work again: the exchange did not take it back."""
    order.status_reason = ""
    partly = OrderStatus.PARTIALLY_FILLED if order.filled_quantity else OrderStatus.ACCEPTED
    _step(order, partly, now)


@exact()
def fill(order: Order, trade: VenueTrade, *, now: datetime) -> bool:
    """Book a trade of a locked order, however late; False when it is there already.

    Raises what the books refuse: IntegrityError, Oversold, IllegalStep, InsufficientPosition.
    """
    account = order.account
    if Fill.objects.filter(account=account, trade_id=trade_id(trade)).exists():
        return False
    instrument = market.instrument(order.instrument)
    booked = fees.book(
        trade, base=instrument.base, quote=instrument.quote, spare=_spare(order, trade)
    )
    _pay(order, trade, booked.held, instrument, now)
    origin = positions.Origin(
        fill_id=new_id(), order_ids=frozenset(filter(None, (order.id, order.replaces_id)))
    )
    fills.record(
        order,
        booked.held,
        origin=origin,
        currency=instrument.quote,
        base_fee=booked.base_fee,
        liquidity=Liquidity.MAKER if trade.is_maker else Liquidity.TAKER,
        trade_id=trade_id(trade),
        model=MODEL,
        source=_source(account, trade),
        executed_at=trade.at,
        now=now,
    )
    if booked.apart is not None:
        _pay_apart(account, booked.apart, trade, now)
    _advance(order, trade, booked.held.fee, now)
    return True


def mirror(account: Account, flow: Flow, *, at: datetime, now: datetime) -> None:
    """Book money that came or went at the exchange, as was seen there `at`."""
    brokers.move(brokers.balance_of(account, flow.currency), free=flow.amount, now=now)
    key = uuid5(account.id, f"balance:{flow.currency}:{at.isoformat()}")
    _flow(account, flow, key, now)


def _flow(account: Account, flow: Flow, key: UUID, now: datetime) -> None:
    brokers.flow(account, flow.currency, flow.amount, now=now, key=key)
    after = {"currency": flow.currency, "amount": flow.amount}
    audit.record("account.mirrored", on=account, after=after)


def _spare(order: Order, trade: VenueTrade) -> Decimal:
    """What a sale can take of the position besides its quantity: the fee of some exchanges."""
    if trade.side is Side.BUY:
        return Decimal(0)
    free: Decimal = order.locked + positions.free_quantity(order.account, order.instrument)
    return max(free - trade.quantity, Decimal(0))


def _pay_apart(account: Account, flow: Flow, trade: VenueTrade, now: datetime) -> None:
    """A fee in a currency that the trade is not in, or a rebate: a movement of that balance.

    What is not free there is not known to be there: the next comparison tells of it.
    """
    balance = brokers.balance_of(account, flow.currency)
    amount = max(flow.amount, -balance.free)
    if amount:
        brokers.move(balance, free=amount, now=now)
        _flow(account, Flow(flow.currency, amount), uuid5(account.id, f"fee:{trade.id}"), now)


def _pay(
    order: Order, trade: VenueTrade, held: pnl.HoldingFill, instrument: Instrument, now: datetime
) -> None:
    """As on paper, but the exchange is right: what the order has not locked is found elsewhere.

    A fill can cost more than was locked, or come when nothing is locked any more.
    """
    account, value = order.account, held.quantity * held.price
    balance = brokers.balance_of(account, instrument.quote)
    if trade.side is Side.SELL:
        extra = max(held.quantity - order.locked, Decimal(0))
        positions.lock_quantity(account, order.instrument, extra)
        order.locked -= held.quantity - extra
        brokers.move(balance, free=value - held.fee, now=now)
        return
    cost = value + held.fee
    locked = min(cost, order.locked)
    short = max(cost - locked - balance.free, Decimal(0))
    if short:
        # Money that the exchange has and we have not seen come in.
        key = uuid5(account.id, f"trade:{trade.id}")
        _flow(account, Flow(instrument.quote, short), key, now)
    order.locked -= locked
    brokers.move(balance, free=locked - cost + short, locked=-locked, now=now)


def _advance(order: Order, trade: VenueTrade, fee: Decimal, now: datetime) -> None:
    """The order's own account of what has been filled; a complete one frees what is left over."""
    spent = (order.average_price or Decimal(0)) * order.filled_quantity
    order.filled_quantity += trade.quantity
    spent += trade.price * trade.quantity
    order.average_price = (spent / order.filled_quantity).quantize(_PLACES)
    order.fees += fee
    is_complete = order.filled_quantity >= order.quantity
    order.status = states.after_fill(OrderStatus(order.status), is_complete=is_complete)
    if is_complete:
        endings.release(order, order.locked, now=now)
    order.updated_at = now
    order.save(update_fields=_FILLED)
    more = {"fill_quantity": plain(trade.quantity), "price": plain(trade.price)}
    endings.tell(order, f"order.{order.status}", now, **more)


def _end(order: Order, status: OrderStatus, reason: str, now: datetime) -> None:
    _, was = endings.end(order, status, reason=reason, now=now, after=None)
    before, after = {"status": was.value}, {"reason": reason}
    audit.record(f"order.{order.status}", on=order, before=before, after=after)


def _step(order: Order, status: OrderStatus, now: datetime) -> None:
    order.status = states.step(OrderStatus(order.status), status)
    order.updated_at = now
    order.save(update_fields=["status", "status_reason", "updated_at"])
    endings.tell(order, f"order.{order.status}", now)


def _source(account: Account, trade: VenueTrade) -> dict[str, object]:
    """What the fill was made from, and its fee as the exchange took it."""
    return {
        "exchange": account.exchange,
        "trade": trade.id,
        "order": trade.order_id,
        "fee": {"amount": plain(trade.fee), "currency": trade.fee_currency},
    }
