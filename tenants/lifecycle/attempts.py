"""How often something is tried again by a timer, and after how long. Pure."""

from __future__ import annotations

from datetime import timedelta

MOST = 8
_FIRST, _LONGEST = 30.0, 600.0  # seconds; doubled with each attempt


def pause(attempts: int) -> timedelta:
    """Since the last of so many attempts began, or since it was asked for."""
    return timedelta(seconds=min(_FIRST * 2**attempts, _LONGEST))
