"""What may be done with orders: place, preview, replace, cancel, expire."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.audit import actions as audit
from trading.brokers import actions as brokers
from trading.brokers.models import Account
from trading.market import queries as market
from trading.market.models import Instrument
from trading.orders import (
    catching_up,
    days,
    drafts,
    endings,
    exits,
    index,
    limits,
    means,
    outbox,
    replacing,
    risk,
    states,
)
from trading.orders.catching_up import CaughtUp
from trading.orders.endings import Ended
from trading.orders.errors import (
    AccountHalted,
    AlreadyExpired,
    ClientOrderIdReused,
    ExitMisplaced,
    InvalidInstruction,
    NotReplaceable,
    NotTradable,
    OrderNotOpen,
    PriceOutOfBand,
    TooManyOpenOrders,
)
from trading.orders.faults import faults
from trading.orders.instructions import Change, Instruction
from trading.orders.models import Order
from trading.orders.states import OrderStatus
from trading.values import TimeInForce

_PLACED = (
    "account_id",
    "instrument",
    "side",
    "type",
    "quantity",
    "notional",
    "limit_price",
    "stop_price",
    "trail_amount",
    "trail_percent",
    "time_in_force",
    "expires_at",
    "post_only",
    "reduce_only",
    "role",
    "parent_id",
    "replaces_id",
    "client_order_id",
)


def place(asked: Instruction, *, now: datetime) -> tuple[Order, bool]:
    """Accept an order and lock what it needs; True when it is new, False when it was there.

    Raises InvalidInstruction, NotFound, AccountClosed, AccountHalted, LimitReached, EquityUnknown,
    NotTradable, AlreadyExpired, PriceTooSmall, PriceOutOfBand, ExitMisplaced, QuantityTooSmall,
    NoPrice, TooManyOpenOrders, InsufficientFunds, InsufficientPosition, NothingToReduce, or
    ClientOrderIdReused; for an account at an exchange also UnsupportedOrder or CredentialsMissing.
    """
    if wrong := faults(asked):
        raise InvalidInstruction(" ".join(wrong))
    account = brokers.lock_open(asked.account_id)
    instrument = market.instrument(asked.instrument)
    asked = drafts.quantised(asked, instrument)
    if (known := _known(asked, account)) is not None:
        return known, False
    _check(asked, account, instrument, now=now)
    order = _accepted(asked, account, instrument, now=now)
    return order, True


def cancel(*, order_id: UUID, now: datetime) -> Order:
    """Take an open order back and free what it locked, and its group or legs with it.

    What is on the tape is met first; an exchange is asked, and the order stays open until
    it answers. Raises NotFound or OrderNotOpen.
    """
    found = _caught_up(order_id, now=now)
    _cancel(found, now=now)
    return found.order


def cancel_all(*, user_id: UUID, account_id: UUID | None, now: datetime) -> list[Order]:
    """Cancel every order of a person that is open by then, or those of one account.

    For a key that is bound to an account, every order means those of that account.
    """
    rows = Order.objects.open().filter(user_id=user_id)
    account_id = account_id or brokers.bound_account()
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    ended = []
    for order_id in _in_order(rows):
        found = catching_up.caught_up(order_id, now=now)
        if found.order.status in states.OPEN:
            _cancel(found, now=now)
            ended.append(found.order)
    return ended


def expire_due(*, now: datetime) -> int:
    """End good-till-date and day orders whose time has come; gives how many.

    What is stored is met first; a bar that comes later is not, whenever it began. Those at an
    exchange are asked back, once.
    """
    due = Order.objects.open().exclude(status=OrderStatus.PENDING_CANCEL).out_of_time(now)
    ended = 0
    for order_id in _in_order(due):
        found = catching_up.caught_up(order_id, now=now)
        if found.order.status in states.OPEN:
            _expire(found, now=now)
            ended += 1
    return ended


def replace(*, order_id: UUID, change: Change, now: datetime) -> Order:
    """Put a new order in the place of an open one, linked to it; gives the new one.

    Its quantity is what was left of the old one, unless said otherwise; an order of a group keeps
    its group, and so its quantity. Raises NotFound, OrderNotOpen, NotReplaceable, and what `place`
    raises; then the old order stays as it was.
    """
    found = _caught_up(order_id, now=now)
    with transaction.atomic():
        return _replace(found, change, now=now)


def _replace(found: CaughtUp, change: Change, *, now: datetime) -> Order:
    old = found.order
    if not old.account.is_paper:
        raise NotReplaceable("At an exchange, cancel the order and place another one.")
    instrument = market.instrument(old.instrument)
    asked = drafts.quantised(replacing.asked(old, change), instrument)
    if wrong := faults(asked):
        raise NotReplaceable(" ".join(wrong))
    if wrong := list(exits.faults(replacing.with_exits(old, asked))):
        raise ExitMisplaced(" ".join(wrong))
    _check(asked, old.account, instrument, now=now)
    if asked.client_order_id and _known(asked, old.account) is not None:
        raise ClientOrderIdReused
    waits = old.status == OrderStatus.INITIALIZED
    held = endings.replaced(old, now=now, after=found.after)
    order = _drafted(asked, old.account, instrument, now=now)
    order.role, order.parent_id, order.group = old.role, old.parent_id, old.group
    order.replaces, order.locked = old, held
    _take(order, waits=waits, lock=old.group is None)
    Order.objects.filter(pk=old.pk).update(replaced_by=order.id)
    Order.objects.filter(parent=old).update(parent=order)
    old.replaced_by = order.id
    _record(order, "order.replaced", now, before={"order": str(old.id)})
    return order


def _known(asked: Instruction, account: Account) -> Order | None:
    """The order of an earlier, equal request. Raises ClientOrderIdReused for another one."""
    if not asked.client_order_id:
        return None
    rows = Order.objects.filter(account=account, client_order_id=asked.client_order_id)
    known = rows.first()
    if known is not None and bytes(known.digest or b"") != drafts.digest(asked):
        raise ClientOrderIdReused
    return known


def _check(asked: Instruction, account: Account, instrument: Instrument, *, now: datetime) -> None:
    """What can be said no to before anything is written."""
    limits.lift_if_due(account, now=now)
    if account.status != Account.Status.ACTIVE:
        raise AccountHalted(f"Reason: {account.status_reason}." if account.status_reason else "")
    limits.check(account, asked.side, now=now)
    if not account.is_paper:
        outbox.check(asked, account)
    if not instrument.tradable:
        raise NotTradable
    if asked.expires_at is not None and asked.expires_at <= now:
        raise AlreadyExpired
    if account.orders.open().count() >= risk.OPEN_ORDERS:
        raise TooManyOpenOrders(f"At most {risk.OPEN_ORDERS}.")


def _accepted(
    asked: Instruction, account: Account, instrument: Instrument, *, now: datetime
) -> Order:
    """The new order and its legs, saved, announced and told."""
    order = _drafted(asked, account, instrument, now=now)
    _take(order, waits=False, lock=True)
    if not account.is_paper:
        outbox.place(order, now=now)
    legs = drafts.legs(order, asked, instrument)
    if asked.is_oco:
        index.announce(order.instrument, [index.entry(order.account_id, leg.id) for leg in legs])
    for leg in legs:
        _take(leg, waits=not asked.is_oco, lock=False)
    _record(order, "order.placed", now)
    return order


def _drafted(
    asked: Instruction, account: Account, instrument: Instrument, *, now: datetime
) -> Order:
    """The order as it meets the market that it finds.

    It is announced before the market is asked, so that a bar between the two is either known to
    the order or finds it in the index.
    """
    order = drafts.order(asked, account, instrument, now=now)
    if account.is_paper:
        index.announce(instrument.symbol, [index.entry(account.id, order.id)])
    quote = market.quote(instrument.symbol)
    if risk.out_of_band(asked, quote.price):
        raise PriceOutOfBand("Look again at limit_price.")
    if wrong := [*exits.faults(asked), *exits.misplaced(asked, quote.price)]:
        raise ExitMisplaced(" ".join(wrong))
    drafts.meet_market(order, asked, instrument, quote)
    if order.time_in_force == TimeInForce.DAY:
        place = quote.place if account.is_paper else None  # an exchange has no tape of old
        order.expires_at = days.deadline(instrument, place, now=now)
    if order.reduce_only:
        means.only_reduce(order)
    order.reserved = means.of(order, quote)
    return order


def _take(order: Order, *, waits: bool, lock: bool) -> None:
    """Save an order as accepted, or as a leg that waits; `lock` sets aside what it needs.

    What an exchange has yet to accept is only submitted.
    """
    if lock:
        means.set_aside(order)
    order.status = OrderStatus.INITIALIZED
    if not waits:
        order.status = states.step(OrderStatus.INITIALIZED, OrderStatus.SUBMITTED)
    if not waits and order.account.is_paper:
        order.status = states.step(order.status, OrderStatus.ACCEPTED)
    order.save(force_insert=True)


def _caught_up(order_id: UUID, *, now: datetime) -> CaughtUp:
    """The order, locked, having met what is on the tape. Raises NotFound, OrderNotOpen."""
    found = catching_up.caught_up(order_id, now=now)
    if found.order.status not in states.OPEN:
        raise OrderNotOpen(f"The order is {found.order.status}.")
    return found


def _in_order(rows: QuerySet[Order]) -> list[UUID]:
    """In the house's order of locks."""
    return list(rows.order_by("account_id", "id").values_list("id", flat=True))


def _cancel(found: CaughtUp, *, now: datetime) -> None:
    order, why = found.order, "canceled_by_user"
    if order.account.is_paper:
        end = OrderStatus.CANCELED
        _note(endings.end_all(order, end, reason=why, now=now, after=found.after))
    else:
        outbox.cancel(order, reason=why, now=now)


def _expire(found: CaughtUp, *, now: datetime) -> None:
    if found.order.account.is_paper:
        _note(endings.expire(found.order, now=now, after=found.after))
    else:
        outbox.expire(found.order, now=now)


def _note(all_ended: list[Ended]) -> None:
    """Each on the record."""
    for ended in all_ended:
        before = {"status": ended.was.value}
        audit.record(ended.action, on=ended.order, before=before, after=ended.said)


def _record(order: Order, action: str, now: datetime, before: dict[str, Any] | None = None) -> None:
    placed = {name: getattr(order, name) for name in _PLACED}
    audit.record(action, on=order, before=before, after=placed)
    kind = "order.accepted" if order.account.is_paper else "order.submitted"
    endings.tell(order, kind, now)
