"""Names of time zones, as the IANA keeps them. Pure, but for the list, which the machine has."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

UTC = ZoneInfo("UTC")
LONGEST = 64  # characters
# Of this machine, or of no place: elsewhere, or later, they would be another.
_NOBODYS = frozenset({"localtime", "Factory"})


@cache
def names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NOBODYS


def named(name: str) -> ZoneInfo:
    """UTC in place of one that this machine does not know, or no more."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
