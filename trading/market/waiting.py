"""What somebody waits for who knows the tape up to a place, in words that PostgreSQL looks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import or_

from django.db.models import Q

from trading.market.places import Place
from trading.market.timeframes import TIMEFRAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """For the first after a place that has a low at or under `below`, a high at or over `above`, or
    an end at or past `until`; `at_once` for whatever comes."""

    after: Place | None
    at_once: bool = False
    below: Decimal | None = None
    above: Decimal | None = None
    until: datetime | None = None

    @property
    def bars(self) -> Q:
        reached = [Q(start__isnull=False)] if self.at_once else []
        if self.below is not None:
            reached.append(Q(low__lte=self.below))
        if self.above is not None:
            reached.append(Q(high__gte=self.above))
        if self.until is not None:
            reached += [
                Q(timeframe=name, start__gte=self.until - length)
                for name, length in TIMEFRAMES.items()
            ]
        return bars_after(self.after) & any_of(reached)

    @property
    def ticks(self) -> Q:
        reached = [Q(at__isnull=False)] if self.at_once else []
        if self.below is not None:
            reached.append(Q(price__lte=self.below))
        if self.above is not None:
            reached.append(Q(price__gte=self.above))
        if self.until is not None:
            reached.append(Q(at__gte=self.until))
        return ticks_after(self.after) & any_of(reached)


def earliest(waits: list[Wait]) -> Place | None:
    """Where the first of them begins; None for the start of the tape."""
    places = [wait.after for wait in waits if wait.after is not None]
    return min(places, key=lambda place: place.rank) if len(places) == len(waits) else None


def any_of(conditions: list[Q]) -> Q:
    """Of at least one."""
    return reduce(or_, conditions)


def bars_after(place: Place | None) -> Q:
    return Q(start__isnull=False) if place is None else Q(start__gt=place.at)


def ticks_after(place: Place | None) -> Q:
    if place is None:
        return Q(at__isnull=False)
    later = Q(at__gt=place.at)
    return later if place.trade_id is None else later | _of_that_moment(place)


def bars_up_to(place: Place) -> Q:
    return Q(start__lte=place.at)


def ticks_up_to(place: Place) -> Q:
    by_then = Q(at__lte=place.at)
    return by_then if place.trade_id is None else by_then & ~_of_that_moment(place)


def _of_that_moment(place: Place) -> Q:
    """Ticks that came after it all the same."""
    return Q(at=place.at, trade_id__gt=place.trade_id)
