"""Which orders of an account hang together, so that what happens to one can change another."""

from __future__ import annotations

from uuid import UUID

from trading.orders.seats import Seat


class Hanging:
    """Groups, legs that wait for an entry, and reduce-only orders, who share the position."""

    def __init__(self) -> None:
        self.reducing: set[Seat] = set()
        self._groups: dict[UUID, set[Seat]] = {}
        self._legs: dict[UUID, set[Seat]] = {}

    def add(self, seat: Seat) -> None:
        order = seat.order
        if order.reducible is not None:
            self.reducing.add(seat)
        if order.group is not None:
            self._groups.setdefault(order.group, set()).add(seat)
        if order.waits_for is not None:
            self._legs.setdefault(order.waits_for, set()).add(seat)

    def remove(self, seat: Seat) -> None:
        self.reducing.discard(seat)
        if seat.order.group is not None:
            _leave(self._groups, seat.order.group, seat)
        if seat.order.waits_for is not None:
            self.start(seat, seat.order.waits_for)

    def start(self, leg: Seat, entry: UUID) -> None:
        """A leg waits no longer."""
        _leave(self._legs, entry, leg)

    def with_others(self, seats: set[Seat]) -> set[Seat]:
        """The orders, their groups, and the legs that wait for any of these."""
        found = set(seats)
        if self._groups:
            groups = {seat.order.group for seat in seats} - {None}
            found = found.union(*(self._groups[group] for group in groups if group is not None))
        if self._legs:
            entries = {seat.order.id for seat in found} & self._legs.keys()
            found = found.union(*(self._legs[entry] for entry in entries))
        return found


def _leave(places: dict[UUID, set[Seat]], place: UUID, seat: Seat) -> None:
    places[place].remove(seat)
    if not places[place]:
        del places[place]
