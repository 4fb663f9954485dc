"""When a day order ends by the clock, and when only by the market's own time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from trading.market import calendars
from trading.market.bars import Bar
from trading.market.models import Instrument
from trading.market.places import Place
from trading.market.ticks import Tick
from trading.orders.working import WorkingOrder
from trading.values import TimeInForce

# Longer than any exchange is closed for: what traded last before that is no market of today.
_LIVE = timedelta(days=7)
# A trade may bear the time of a clock that is ahead of ours.
_AHEAD = timedelta(minutes=5)


def deadline(instrument: Instrument, known: Place | None, *, now: datetime) -> datetime | None:
    """The end of the session in which an order of now trades; `known` is the newest on the tape.

    None where the tape is of another year, or ahead of the clock, as a replay's is: its day orders
    end with the day of the first bar that they meet.
    """
    if known is not None and not -_AHEAD <= now - known.at <= _LIVE:
        return None
    return calendars.closing(instrument.asset_class, now)


def session_end(
    orders: Iterable[WorkingOrder], instrument: Instrument, printed: Bar | Tick
) -> datetime | None:
    """The end of a bar's or tick's session, where there are day orders that end with it."""
    for order in orders:
        if order.time_in_force is TimeInForce.DAY and order.expires_at is None:
            return calendars.closing(instrument.asset_class, printed.place.at)
    return None
