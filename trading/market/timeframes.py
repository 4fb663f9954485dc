"""The lengths a bar can have, by name."""

from __future__ import annotations

from datetime import timedelta

TIMEFRAMES = {
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "1w": timedelta(weeks=1),
}


class UnknownTimeframe(ValueError):
    """No bar has this length."""

    code = "unknown_timeframe"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is none of {', '.join(TIMEFRAMES)}")
        self.name = name


def duration(timeframe: str) -> timedelta:
    """How long a bar of this timeframe lasts. Raises UnknownTimeframe."""
    if timeframe not in TIMEFRAMES:
        raise UnknownTimeframe(timeframe)
    return TIMEFRAMES[timeframe]
