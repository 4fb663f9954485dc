"""Orders in their seats: one that a book serves, and that may keep its seat from bar to bar."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from trading.orders import brackets
from trading.orders.levels import Levels
from trading.orders.working import WorkingOrder


class Seat:
    """An order as it came to a bar and as it stands.

    `is_kept` says that the bar has met it and left it open; another's fill can still end it.
    `asleep_at` are the levels that it sleeps at between bars. Seats are told apart by identity,
    because the hash of an id is a call into Python.
    """

    __slots__ = ("asleep_at", "before", "is_kept", "is_open", "order")

    def __init__(self, order: WorkingOrder) -> None:
        self.before = self.order = order
        self.is_open, self.is_kept = True, False
        self.asleep_at: Levels | None = None


Table = list[Seat]


def tables(seats: Collection[Seat]) -> list[Table]:
    """In time priority; the orders of a group together, where the first of them stands."""
    if len(seats) == 1:
        return [list(seats)]
    found: list[Table] = []
    groups: dict[UUID, Table] = {}
    for seat in sorted(seats, key=arrival):
        group = seat.order.group
        if group in groups:
            groups[group].append(seat)
            continue
        found.append([seat])
        if group is not None:
            groups[group] = found[-1]
    return found


def arrival(seat: Seat) -> tuple[int, UUID]:
    return brackets.arrival(seat.order)


def standing(seats: Iterable[Seat]) -> list[WorkingOrder]:
    return [seat.order for seat in seats if seat.is_open]
