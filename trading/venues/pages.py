"""All of a long answer of which an exchange gives one page at a time, from either end. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

# No exchange gives fewer while there are more.
FULL = 50
MOST = 40  # pages of one gathering
_NARROWER = 16
_WIDER = 4
_SHORTEST = timedelta(seconds=1)


class Row(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def at(self) -> datetime: ...


R = TypeVar("R", bound=Row)
# What there is from one moment to another, both included; None for whatever there is by now.
Ask = Callable[[datetime, datetime | None], list[R]]


@dataclass(frozen=True, slots=True)
class Gathered(Generic[R]):
    """Rows without a gap, the oldest first. `until` is None for all, else from where to go on."""

    rows: tuple[R, ...]
    until: datetime | None = None


def gather(
    ask: Ask[R], *, since: datetime, now: datetime, widest: timedelta | None = None
) -> Gathered[R]:
    """All from `since` on, or as much as `MOST` pages show; `widest` is what may be asked at once.

    What two pages do not show whole is asked for in narrower windows, so that what is there is
    always without a gap: a sale is not booked before what it sells.
    """
    book = _Book(ask)
    most = max(now - since, _SHORTEST)
    most = most if widest is None else min(widest, most)
    span = most
    while book.pages < MOST:
        is_last = since + span >= now
        end = None if is_last else since + span
        seen = book.see(since, end, is_short=span <= _SHORTEST)
        if seen is None:
            span = max(span / _NARROWER, _SHORTEST)
        elif seen.is_all and is_last:
            return Gathered(book.rows(None))
        else:
            since, span = seen.until or since + span, min(span * _WIDER, most)
    return Gathered(book.rows(since), since)


def together(parts: Iterable[Gathered[R]]) -> Gathered[R]:
    """Several answers as one: as far as the shortest goes."""
    parts = list(parts)
    ends = [part.until for part in parts if part.until is not None]
    until = min(ends, default=None)
    rows = (row for part in parts for row in part.rows if until is None or row.at <= until)
    return Gathered(_sorted(rows), until)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A window without a gap: all of it, or up to `until`."""

    until: datetime | None = None

    @property
    def is_all(self) -> bool:
        return self.until is None


class _Book(Generic[R]):
    """What has been seen of an answer, and how many pages it took."""

    def __init__(self, ask: Ask[R]) -> None:
        self._ask = ask
        self._rows: dict[str, R] = {}
        self.pages = 0

    def see(self, start: datetime, end: datetime | None, *, is_short: bool) -> _Seen | None:
        """A window's first page, and what lies before that; None if that is too much.

        It is a page or, in a window that cannot be narrower, as many as are left.
        """
        page, _ = self._page(start, end)
        if len(page) < FULL:
            return _Seen()
        first, last = min(row.at for row in page), max(row.at for row in page)
        is_joined = True
        while is_joined and self.pages < MOST:
            before, is_joined = self._page(start, first)
            earlier = min((row.at for row in before), default=first)
            if len(before) < FULL:
                # An exchange that begins with the newest has shown all, and says so when asked on.
                return _Seen(last) if last > start else None
            if not is_short or earlier >= first:
                return None
            first = earlier
        return None

    def rows(self, end: datetime | None) -> tuple[R, ...]:
        return _sorted(row for row in self._rows.values() if end is None or row.at <= end)

    def _page(self, start: datetime, end: datetime | None) -> tuple[list[R], bool]:
        """A page, and whether nothing can lie between it and what was seen before."""
        self.pages += 1
        page = self._ask(start, end)
        is_joined = len(page) < FULL or any(row.id in self._rows for row in page)
        self._rows |= {row.id: row for row in page}
        return page, is_joined


def _sorted(rows: Iterable[R]) -> tuple[R, ...]:
    return tuple(sorted(rows, key=lambda row: (row.at, row.id)))
