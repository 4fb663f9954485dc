"""What an account may lose before trading is halted. Pure; amounts in the account's currency."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Breach(StrEnum):
    """Which limit was reached; the reason an account is halted for."""

    DAILY_LOSS = "daily_loss_limit"
    DRAWDOWN = "drawdown_limit"


@dataclass(frozen=True, slots=True)
class Limits:
    """`daily_loss` is from the end of the day before, `drawdown` from the highest equity.

    None is no limit.
    """

    daily_loss: Decimal | None = None
    drawdown: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """Equity to measure from: where a UTC day began, the highest so far, and what was last seen."""

    day_on: date | None = None
    day_start: Decimal | None = None
    peak: Decimal | None = None
    last: Decimal | None = None


def moved(marks: Marks, equity: Decimal, today: date) -> Marks:
    """The marks once `equity` has been seen; a new high is the peak.

    A new day begins with what was seen last on a day before: what prices did overnight is of the
    new day. The first day begins with its first look.
    """
    peak = equity if marks.peak is None else max(marks.peak, equity)
    if marks.day_on is None or marks.day_on < today:
        start = equity if marks.last is None else marks.last
        return Marks(today, start, peak, equity)
    return replace(marks, peak=peak, last=equity)


def shifted(marks: Marks, flow: Decimal) -> Marks:
    """The marks after money came (or, negative, went): a flow is neither profit nor loss."""
    equities = (marks.day_start, marks.peak, marks.last)
    shifted_by = (None if equity is None else equity + flow for equity in equities)
    return Marks(marks.day_on, *shifted_by)


def breach(limits: Limits, marks: Marks, equity: Decimal) -> Breach | None:
    """The limit that `equity` has reached, if any; losing exactly as much as allowed reaches it."""
    if _reaches(limits.drawdown, marks.peak, equity):
        return Breach.DRAWDOWN
    return Breach.DAILY_LOSS if _reaches(limits.daily_loss, marks.day_start, equity) else None


def _reaches(limit: Decimal | None, since: Decimal | None, equity: Decimal) -> bool:
    return limit is not None and since is not None and since - equity >= limit
