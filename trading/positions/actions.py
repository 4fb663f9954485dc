"""What may be done with positions: lock, unlock, apply a fill, write what people say of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.audit import actions as audit
from trading.brokers.models import Account
from trading.errors import NotFound
from trading.market import queries as market
from trading.positions import pnl
from trading.positions.errors import InsufficientPosition
from trading.positions.models import (
    BracketTerms,
    DecisionLog,
    PerpetualTerms,
    Position,
    PositionLot,
)
from trading.values import Side, exact

# What the price of an account's currency is told in besides.
REFERENCE = "BTC"
_BOOKS = ("quantity", "average_price", "cost_basis", "realized_pnl", "fees")
_CLOSING = ("closed_at", "closed_by", "closed_reference_price")
_PERPETUAL = ("leverage", "margin_mode", "liquidation_price", "funding_paid")
_LOTS_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a fill comes from: its id, its order and the one which that replaced, if any.

    With the exits of the bracket whose entry the order is.
    """

    fill_id: UUID
    order_ids: frozenset[UUID]
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None


@exact()
def lock_quantity(account: Account, instrument: str, quantity: Decimal) -> None:
    """Set quantity aside for a sell order. Raises InsufficientPosition. The account is locked."""
    position = _open(account, instrument)
    if position is None or position.quantity - position.locked_quantity < quantity:
        raise InsufficientPosition(f"Not enough free {instrument} in this account.")
    position.locked_quantity += quantity
    position.save(update_fields=["locked_quantity"])


@exact()
def free_quantity(account: Account, instrument: str) -> Decimal:
    """What of the open position no order has set aside. The account is locked."""
    position = _open(account, instrument)
    return Decimal(0) if position is None else position.quantity - position.locked_quantity


@exact()
def unlock(account: Account, instrument: str, quantity: Decimal) -> None:
    """Give quantity back that a sell order had set aside."""
    position = _open(account, instrument)
    if position is not None:
        position.locked_quantity -= quantity
        position.save(update_fields=["locked_quantity"])


@exact()
def apply(
    account: Account,
    instrument: str,
    fill: pnl.HoldingFill,
    *,
    now: datetime,
    origin: Origin,
) -> tuple[Position, Decimal]:
    """Book one fill in the account's position; a sell's quantity was locked before.

    Gives the position and the profit the fill realised, in the quote currency, fees apart. A
    purchase opens a lot, which bears the fill's id; a sale takes from the oldest lots.
    """
    position = _open(account, instrument) or _new(account, instrument, origin, now)
    realized_before = position.realized_pnl
    cost = None
    if fill.side is Side.SELL:
        sales = _take(position, fill.quantity)
        cost = pnl.cost_of(sales) if account.cost_method == Account.CostMethod.FIFO else None
        position.locked_quantity -= fill.quantity
    else:
        _open_lot(position, fill, origin, now)
    books = pnl.Holding(**{name: getattr(position, name) for name in _BOOKS})
    after = pnl.apply(books, fill, cost=cost)
    for name in _BOOKS:
        setattr(position, name, getattr(after, name))
    if not position.quantity:
        _close(position, account, origin, now)
    position.save(update_fields=[*_BOOKS, "locked_quantity", *_CLOSING])
    return position, position.realized_pnl - realized_before


def expect_close(*, position_id: UUID, order_id: UUID) -> None:
    """Note the order by which somebody asks to close a position. The account is locked."""
    position = Position.objects.select_for_update().get(pk=position_id)
    position.closing_order = order_id
    position.save(update_fields=["closing_order"])
    audit.record("position.close_asked", on=position, after={"order": str(order_id)})


def log_decision(
    *,
    position_id: UUID,
    model: str,
    context: Any,
    thinking: str,
    decision: Any,
    now: datetime,
) -> DecisionLog:
    """Keep what a model thought and decided about a position. Raises NotFound."""
    position = _existing(position_id)
    entry = DecisionLog(
        position=position,
        user_id=position.user_id,
        at=now,
        model=model,
        context=context,
        thinking=thinking,
        decision=decision,
    )
    entry.save(force_insert=True)
    # Not what it says: that stands in the entry, which nobody changes.
    audit.record("position.decision_logged", on=position, after={"entry": str(entry.id)})
    return entry


def set_perpetual(
    *,
    position_id: UUID,
    leverage: Decimal,
    margin_mode: str,
    liquidation_price: Decimal | None,
    funding_paid: Decimal,
) -> PerpetualTerms:
    """Set what a position in a perpetual future has besides. Raises NotFound."""
    position = _existing(position_id)
    row = position.perpetual.first()
    before = None if row is None else {name: getattr(row, name) for name in _PERPETUAL}
    row = row or PerpetualTerms(position=position, user_id=position.user_id)
    row.leverage, row.margin_mode = leverage, margin_mode
    row.liquidation_price, row.funding_paid = liquidation_price, funding_paid
    row.save(force_insert=before is None, force_update=before is not None)
    after = {name: getattr(row, name) for name in _PERPETUAL}
    audit.record("position.perpetual_set", on=position, before=before, after=after)
    return row


def write_notes(
    *, position_id: UUID, notes: str, precondition: Callable[[Position], None]
) -> Position:
    """Replace the notes of a position, unless `precondition` raises. Raises NotFound."""
    position = _existing(position_id)
    precondition(position)
    before, position.notes = position.notes, notes
    position.save(update_fields=["notes"])
    # Not the text: a person may delete it one day, and the trail is for good.
    was, is_now = {"length": len(before)}, {"length": len(notes)}
    audit.record("position.notes_written", on=position, before=was, after=is_now)
    return position


def _existing(position_id: UUID) -> Position:
    """The position, locked. Raises NotFound."""
    position = Position.objects.select_for_update().filter(pk=position_id).first()
    if position is None:
        raise NotFound("There is no such position.")
    return position


def _take(position: Position, sold: Decimal) -> list[pnl.Lot]:
    """Sell from the oldest lots; gives what was taken of each. Raises pnl.Oversold."""
    # Fills count in the order in which they were booked, which is that of their ids: bars of two
    # timeframes can reach an account with their market times interleaved.
    left = position.lots.filter(remaining__gt=0).order_by("fill_id")
    rows: list[PositionLot] = []
    while sum((row.remaining for row in rows), Decimal(0)) < sold:
        more = left[len(rows) : len(rows) + _LOTS_AT_ONCE]
        if not more:
            break
        rows += more
    sales = pnl.taken([pnl.Lot(row.remaining, row.price) for row in rows], sold)
    touched = rows[: len(sales)]
    for row, sale in zip(touched, sales, strict=True):
        row.remaining -= sale.quantity
    PositionLot.objects.bulk_update(touched, ["remaining"], batch_size=_LOTS_AT_ONCE)
    return sales


def _open_lot(position: Position, fill: pnl.HoldingFill, origin: Origin, now: datetime) -> None:
    lot = PositionLot(
        position=position,
        user_id=position.user_id,
        fill_id=origin.fill_id,
        opened_at=now,
        price=fill.price,
        quantity=fill.quantity,
        remaining=fill.quantity,
    )
    lot.save(force_insert=True)


def _close(position: Position, account: Account, origin: Origin, now: datetime) -> None:
    """It is flat: say when, by what, and what the reference stood at."""
    asked_for = position.closing_order in origin.order_ids
    position.closed_at = now
    position.closed_by = Position.ClosedBy.MANUAL if asked_for else Position.ClosedBy.ORDER
    position.closed_reference_price = _reference_price(account)


def _reference_price(account: Account) -> Decimal | None:
    """What one of the reference costs in the account's currency; None where it has no price."""
    return market.quote(f"{REFERENCE}/{account.currency}").price


def _open(account: Account, instrument: str) -> Position | None:
    rows = Position.objects.select_for_update()
    return rows.filter(account=account, instrument=instrument, closed_at=None).first()


def _new(account: Account, instrument: str, origin: Origin, now: datetime) -> Position:
    """A position with its first fill, and the exits of the bracket that opened it."""
    position = Position(
        account=account,
        user_id=account.user_id,
        instrument=instrument,
        opened_at=now,
        opened_reference_price=_reference_price(account),
    )
    position.save(force_insert=True)
    if origin.take_profit or origin.stop_loss:
        BracketTerms(
            position=position,
            user_id=account.user_id,
            take_profit=origin.take_profit,
            stop_loss=origin.stop_loss,
        ).save(force_insert=True)
    return position
