"""Places on the tape: where among the bars and ticks that came something stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """The moment of a bar's start or of a tick; ticks of one moment follow one another by id."""

    at: datetime
    trade_id: int | None = None

    @property
    def key(self) -> str:
        """The place in one word."""
        moment = self.at.isoformat()
        return moment if self.trade_id is None else f"{moment}:{self.trade_id}"

    @property
    def rank(self) -> tuple[datetime, int]:
        """What places are sorted by."""
        return self.at, self.trade_id or 0

    def is_after(self, other: Place) -> bool:
        """Whether what stands here is news to whoever has met all up to the other place."""
        return not is_known(self.at, self.trade_id, other.at, other.trade_id)


class PlaceColumns:
    """Two columns of a row, seen as one place; None where the first is null."""

    def __init__(self, at: str, trade_id: str) -> None:
        self._at, self._trade_id = at, trade_id

    def __get__(self, row: Any, owner: Any = None) -> Place | None:
        at = getattr(row, self._at)
        return None if at is None else Place(at, getattr(row, self._trade_id))

    def __set__(self, row: Any, place: Place | None) -> None:
        setattr(row, self._at, None if place is None else place.at)
        setattr(row, self._trade_id, None if place is None else place.trade_id)


def is_known(
    at: datetime, trade_id: int | None, through: datetime | None, trade: int | None
) -> bool:
    """Whether a bar or tick of the moment is not after the one `through` which all has been met."""
    if through is None or at != through:
        return through is not None and at < through
    return trade_id is None or trade is None or trade_id <= trade
