"""What may be done with positions: lock, unlock, apply a fill, write notes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.audit import actions as audit
from trading.brokers.models import Account
from trading.errors import InsufficientPosition, NotFound
from trading.positions import pnl
from trading.positions.models import Position
from trading.values import Side, exact

_BOOKS = ("quantity", "average_price", "cost_basis", "realized_pnl", "fees")


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
    account: Account, instrument: str, fill: pnl.HoldingFill, *, now: datetime
) -> tuple[Position, Decimal]:
    """Fold one fill into the account's position; a sell's quantity was locked before.

    Gives the position and the profit the fill realised, in the quote currency, fees apart.
    """
    position = _open(account, instrument) or _new(account, instrument, now)
    realized_before = position.realized_pnl
    after = _folded(account, position, fill)
    for name in _BOOKS:
        setattr(position, name, getattr(after, name))
    if fill.side is Side.SELL:
        position.locked_quantity -= fill.quantity
    if not position.quantity:
        position.closed_at = now
    position.save(update_fields=[*_BOOKS, "locked_quantity", "closed_at"])
    return position, position.realized_pnl - realized_before


def write_notes(
    *, position_id: UUID, notes: str, precondition: Callable[[Position], None]
) -> Position:
    """Replace the notes of a position, unless `precondition` raises. Raises NotFound."""
    position = Position.objects.select_for_update().filter(pk=position_id).first()
    if position is None:
        raise NotFound("There is no such position.")
    precondition(position)
    before, position.notes = position.notes, notes
    position.save(update_fields=["notes"])
    # Not the text: a person may delete it one day, and the trail is for good.
    was, is_now = {"length": len(before)}, {"length": len(notes)}
    audit.record("position.notes_written", on=position, before=was, after=is_now)
    return position


def _folded(
    account: Account, position: Position, fill: pnl.HoldingFill
) -> pnl.Holding | pnl.FifoBook:
    """The books after one more fill, by the account's way to count cost.

    Fills count in the order in which they were booked, which is that of their ids: bars of two
    timeframes can reach an account with their market times interleaved.
    """
    if account.cost_method == Account.CostMethod.AVERAGE:
        books = pnl.Holding(**{name: getattr(position, name) for name in _BOOKS})
        return pnl.apply(books, fill)
    earlier = position.fills.order_by("id")
    return pnl.apply_fifo(
        pnl.fold_fifo(pnl.HoldingFill(Side(f.side), f.quantity, f.price, f.fee) for f in earlier),
        fill,
    )


def _open(account: Account, instrument: str) -> Position | None:
    rows = Position.objects.select_for_update()
    return rows.filter(account=account, instrument=instrument, closed_at=None).first()


def _new(account: Account, instrument: str, now: datetime) -> Position:
    position = Position(
        account=account, user_id=account.user_id, instrument=instrument, opened_at=now
    )
    position.save(force_insert=True)
    return position
