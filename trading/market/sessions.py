"""What a window of bars comes to: its own open, high, low, close and volume. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.market.bars import Bar
from trading.values import exact

_PERCENT_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Session:
    """Prices in the quote currency, volume in the base asset, None where no bar knows any.

    `change` is the close against the close before the window, or else against its open.
    """

    timeframe: str
    start: datetime
    end: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None
    change: Decimal
    change_percent: Decimal
    bars: int


def summed_up(bars: Sequence[Bar], before: Decimal | None) -> Session:
    """One or more bars of one series, oldest first, after a close of `before`."""
    first, last = bars[0], bars[-1]
    reference = first.open if before is None else before
    # A volume of 0 is one that nobody knows.
    volumes = [bar.volume for bar in bars if bar.volume]
    with exact():
        return Session(
            timeframe=first.timeframe,
            start=first.start,
            end=last.end,
            open=first.open,
            high=max(bar.high for bar in bars),
            low=min(bar.low for bar in bars),
            close=last.close,
            volume=sum(volumes, Decimal(0)) if volumes else None,
            change=last.close - reference,
            change_percent=percent(last.close, reference),
            bars=len(bars),
        )


@exact()
def percent(price: Decimal, reference: Decimal) -> Decimal:
    """By how many per cent of `reference` the price is above it, to four places."""
    return ((price - reference) / reference * 100).quantize(_PERCENT_PLACES)
