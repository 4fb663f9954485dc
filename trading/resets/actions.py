"""A paper account starts over: out of the market, holdings sold, money as asked; history stays."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.audit import actions as audit
from tenants.identifiers import new_id
from trading.brokers import actions as brokers
from trading.brokers.models import Account
from trading.market import queries as market
from trading.market.places import Place
from trading.orders import catching_up, endings, fills
from trading.orders.models import ACCOUNT_RESET, RESET_MODEL, Order
from trading.orders.states import OrderStatus
from trading.positions import actions as positions
from trading.positions.models import Position
from trading.positions.pnl import HoldingFill
from trading.values import Liquidity, OrderType, Side, TimeInForce, exact, plain


@exact()
def reset(*, account_id: UUID, currency: str, amount: Decimal, now: datetime) -> Account:
    """Start over with `amount` of `currency` and nothing else; a halted account trades again.

    Holdings are sold at the last price without a fee, or at what they cost where there is none, so
    that the books go on to balance. Raises NotFound, AccountClosed or PaperOnly.
    """
    account = brokers.lock_paper(account_id)
    _leave_market(account, now=now)
    for position in account.positions.filter(closed_at=None).order_by("id"):
        _sell(account, position, now=now)
    _empty(account, now=now)
    if amount:
        brokers.move(brokers.balance_of(account, currency), free=amount, now=now)
        brokers.flow(account, currency, amount, now=now)
    account.limits.update(day_on=None, day_start=None, peak=None)
    if account.status == Account.Status.HALTED:
        brokers.resume(account, reason=ACCOUNT_RESET, now=now)
    audit.record("account.reset", on=account, after={"currency": currency, "amount": amount})
    return account


def _leave_market(account: Account, *, now: datetime) -> None:
    """Cancel what is open, after it has met what is on the tape."""
    rows = Order.objects.open().filter(account=account)
    for symbol in sorted(set(rows.values_list("instrument", flat=True))):
        newest = catching_up.catch_up(account, symbol, now=now)
        for order in rows.for_instrument(symbol).select_for_update().order_by("id"):
            order.account = account
            ended, after = OrderStatus.CANCELED, catching_up.last_met(order, newest)
            endings.end(order, ended, reason=ACCOUNT_RESET, now=now, after=after)


def _sell(account: Account, position: Position, *, now: datetime) -> None:
    """The whole holding, by an order and a fill that say why."""
    instrument = market.instrument(position.instrument)
    quote = market.quote(position.instrument)
    price = quote.price or position.average_price
    order = _order(account, position, price, place=quote.place, now=now)
    positions.lock_quantity(account, position.instrument, position.quantity)
    balance = brokers.balance_of(account, instrument.quote)
    brokers.move(balance, free=position.quantity * price, now=now)
    fills.record(
        order,
        HoldingFill(Side.SELL, position.quantity, price),
        origin=positions.Origin(fill_id=new_id(), order_ids=frozenset({order.id})),
        currency=instrument.quote,
        liquidity=Liquidity.TAKER,
        trade_id=f"{order.id}:{ACCOUNT_RESET}",
        model=RESET_MODEL,
        source={"rule": ACCOUNT_RESET, "price": plain(price), "has_price": quote.price is not None},
        executed_at=now,
        now=now,
    )


def _order(
    account: Account, position: Position, price: Decimal, *, place: Place | None, now: datetime
) -> Order:
    order = Order(
        account=account,
        user_id=account.user_id,
        instrument=position.instrument,
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=position.quantity,
        filled_quantity=position.quantity,
        average_price=price,
        time_in_force=TimeInForce.GTC,
        client_order_id=f"{ACCOUNT_RESET}-{new_id()}",
        status=OrderStatus.FILLED,
        status_reason=ACCOUNT_RESET,
        locked_currency=position.instrument.partition("/")[0],
        maker_bps=Decimal(0),
        taker_bps=Decimal(0),
        slippage_bps=Decimal(0),
        created_at=now,
        updated_at=now,
    )
    order.place_known = order.place_met = place
    order.save(force_insert=True)
    return order


def _empty(account: Account, *, now: datetime) -> None:
    for row in account.balances.order_by("currency"):
        balance = brokers.balance_of(account, row.currency)
        if balance.free:
            left = balance.free
            brokers.move(balance, free=-left, now=now)
            brokers.flow(account, row.currency, -left, now=now)
