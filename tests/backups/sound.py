"""What the tables' checks leave room for: dealt rows are bent until they fit, and no further."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

from psycopg.types.json import Jsonb

from trading.orders.states import OPEN
from trading.values import TOO_LARGE

Row = dict[str, Any]
Dice = random.Random

_SMALLEST = Decimal(10) ** -18
# As far as the chain of a trail can count, and Python.
_COUNTABLE = ("0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00")
_LATER = "9999-12-31 23:59:59.999999+00"


def _account(row: Row, dice: Dice) -> None:
    row["kind"] = "exchange" if row["exchange"] and dice.random() < 0.5 else "paper"
    if row["kind"] == "paper":
        row["exchange"] = ""
    if row["status"] == "closed":
        row["is_default"] = False
    _no_less_than_nothing(row, "maker_bps", "taker_bps", "slippage_bps")


def _balance(row: Row, dice: Dice) -> None:
    _no_less_than_nothing(row, "total")
    row["locked"] = _part(row["total"], dice)
    with localcontext(prec=80):
        row["free"] = row["total"] - row["locked"]


def _movement(row: Row, dice: Dice) -> None:
    row["amount"] = row["amount"] or -_SMALLEST


def _limits(row: Row, dice: Dice) -> None:
    _positive(row, "max_daily_loss", "max_drawdown")


def _auto_buy(row: Row, dice: Dice) -> None:
    _positive(row, "notional", "take_profit_percent", "stop_loss_percent", "max_open_positions")
    _below(row, "stop_loss_percent", Decimal(100))


def _event(row: Row, dice: Dice) -> None:
    row["number"] = _counted(row["number"])


def _cursor(row: Row, dice: Dice) -> None:
    row["last"] = _counted(row["last"])


def _order(row: Row, dice: Dice) -> None:
    _positive(row, "quantity")
    _no_less_than_nothing(row, "maker_bps", "taker_bps", "slippage_bps", "locked")
    row["filled_quantity"] = _part(row["quantity"], dice)
    with localcontext(prec=80):
        row["sibling_filled"] = _part(row["quantity"] - row["filled_quantity"], dice)
    if row["type"] in ("limit", "stop_limit"):
        row["limit_price"] = row["limit_price"] or Decimal(1)
        _positive(row, "limit_price")
    if row["type"] in ("stop", "stop_limit"):
        row["stop_price"] = row["stop_price"] or Decimal(1)
        _positive(row, "stop_price")
    if row["type"] == "trailing_stop":
        kept, other = dice.sample(("trail_amount", "trail_percent"), 2)
        row[kept], row[other] = row[kept] or Decimal(1), None
        _positive(row, kept)
        _below(row, "trail_percent", Decimal(100))
    row["group"] = row["group"] or (row["parent_id"] and row["id"])
    for trade, moment in (
        ("placed_trade", "placed_after"),
        ("ended_trade", "ended_after"),
        ("matched_trade", "matched_through"),
    ):
        if row[moment] is None:
            row[trade] = None
    if row["status"] not in OPEN:
        row["locked"] = Decimal(0)
    else:  # no timer of the installation is to end it
        row["time_in_force"] = "gtc"


def _intent(row: Row, dice: Dice) -> None:
    if row["answered_at"] is not None:
        row["state"] = dice.choice(("answered", "failed"))
    elif row["called_at"] is not None:
        row["state"] = dice.choice(("pending", "calling", "unknown"))
    else:
        row["state"] = "pending"
    if row["state"] in ("pending", "calling", "unknown"):  # nobody is to carry it out
        row["due_at"] = _LATER
        row["called_at"] = row["called_at"] and _LATER


def _fill(row: Row, dice: Dice) -> None:
    _positive(row, "quantity", "price")
    _no_less_than_nothing(row, "fee")
    row["base_fee"] = Decimal(0)
    if row["quantity"] > 1:
        row["base_fee"] = dice.choice((Decimal(0), _SMALLEST, Decimal(1)))


def _point(row: Row, dice: Dice) -> None:
    _no_less_than_nothing(row, "cash", "cost_basis")
    row["missing"] = Jsonb([]) if row["positions_value"] is not None else Jsonb(["\\N", "☃"])


def _portfolio(row: Row, dice: Dice) -> None:
    _positive(row, "initial_capital")


def _position(row: Row, dice: Dice) -> None:
    _no_less_than_nothing(row, "quantity")
    _positive(row, "opened_reference_price", "closed_reference_price")
    if row["closed_at"] is None:
        row["closed_by"] = None
    else:
        row["quantity"] = Decimal(0)
    row["locked_quantity"] = _part(row["quantity"], dice)


def _lot(row: Row, dice: Dice) -> None:
    _positive(row, "quantity", "price")
    row["remaining"] = _part(row["quantity"], dice)


def _perpetual(row: Row, dice: Dice) -> None:
    row["leverage"] = dice.choice((Decimal(1), Decimal("1.5"), Decimal(1_000)))
    row["margin_mode"] = dice.choice(("isolated", "cross"))
    _positive(row, "liquidation_price")


def _bracket(row: Row, dice: Dice) -> None:
    _positive(row, "take_profit", "stop_loss")
    if row["take_profit"] is None and row["stop_loss"] is None:
        row[dice.choice(("take_profit", "stop_loss"))] = _SMALLEST


def _said(row: Row, dice: Dice) -> None:
    if not hasattr(row["at"], "year"):
        row["at"] = dice.choice(_COUNTABLE)
    if dice.random() < 0.5:
        row["actor_id"], row["actor"] = None, f"system:{row['actor'][:100]}"
    else:
        names = (f"user:{row['actor_id']}", f"support:{row['actor_id']}", "key:\\N☃")
        row["actor"] = dice.choice(names)


SOUND: dict[str, Callable[[Row, Dice], None]] = {
    "audit.AuditEvent": _said,
    "trading.Account": _account,
    "trading.AccountLimits": _limits,
    "trading.AutoBuy": _auto_buy,
    "trading.Balance": _balance,
    "trading.BracketTerms": _bracket,
    "trading.CashMovement": _movement,
    "trading.EquityPoint": _point,
    "trading.Fill": _fill,
    "trading.NamedPortfolio": _portfolio,
    "trading.Notification": _event,
    "trading.NotificationCursor": _cursor,
    "trading.Order": _order,
    "trading.PerpetualTerms": _perpetual,
    "trading.Position": _position,
    "trading.PositionLot": _lot,
    "trading.VenueIntent": _intent,
}


def _positive(row: Row, *columns: str) -> None:
    for column in columns:
        if row[column] is not None:
            row[column] = _size(row[column]) or 1


def _no_less_than_nothing(row: Row, *columns: str) -> None:
    for column in columns:
        row[column] = _size(row[column])


def _size(number: Any) -> Any:
    """With all digits: `abs` rounds."""
    return number.copy_abs() if isinstance(number, Decimal) else abs(number)


def _below(row: Row, column: str, limit: Decimal) -> None:
    if row[column] is not None and row[column] >= limit:
        row[column] = limit - _SMALLEST


def _part(whole: Decimal, dice: Dice) -> Decimal:
    """Nothing of it, all of it, or some."""
    assert 0 <= whole < TOO_LARGE
    with localcontext(prec=80):
        some = (whole * Decimal(dice.randrange(100)) / 100).quantize(_SMALLEST, "ROUND_FLOOR")
    return dice.choice((Decimal(0), whole, some))


def _counted(number: int) -> int:
    return max(1, min(abs(number), 2**63 - 1))
