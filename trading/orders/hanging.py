"""Which orders of an account hang together, so that what happens to one can change another."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from trading.orders.working import WorkingOrder


class Hanging:
    """Groups, legs that wait for an entry, and reduce-only orders, who share the position."""

    def __init__(self) -> None:
        self.reducing: set[UUID] = set()
        self._group_of: dict[UUID, UUID] = {}
        self._groups: dict[UUID, set[UUID]] = {}
        self._legs: dict[UUID, set[UUID]] = {}

    def add(self, order: WorkingOrder) -> None:
        if order.reducible is not None:
            self.reducing.add(order.id)
        if order.group is not None:
            self._group_of[order.id] = order.group
            self._groups.setdefault(order.group, set()).add(order.id)
        if order.waits_for is not None:
            self._legs.setdefault(order.waits_for, set()).add(order.id)

    def remove(self, order: WorkingOrder) -> None:
        """An order that hangs as it did when it was added."""
        self.reducing.discard(order.id)
        if order.group is not None:
            del self._group_of[order.id]
            _leave(self._groups, order.group, order.id)
        if order.waits_for is not None:
            _leave(self._legs, order.waits_for, order.id)

    def with_others(self, order_ids: Iterable[UUID]) -> set[UUID]:
        """The orders, their groups, and the legs that wait for any of these."""
        found = set(order_ids)
        if self._groups:
            for group in {self._group_of[one] for one in found if one in self._group_of}:
                found |= self._groups[group]
        if self._legs:
            found.update(*(self._legs[entry] for entry in found & self._legs.keys()))
        return found


def _leave(places: dict[UUID, set[UUID]], place: UUID, order_id: UUID) -> None:
    places[place].remove(order_id)
    if not places[place]:
        del places[place]
