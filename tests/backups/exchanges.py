"""What happens in the midst of a restore: while a tenant's rows are exchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from backups.swapping import Place


class Killed(BaseException):
    """Ends whoever puts rows back, without a word in the books."""


@contextmanager
def meanwhile(act: Callable[[Place], object], *, is_after: bool = False) -> Iterator[None]:
    """With something that happens beside the exchange, before its commit."""
    put = Place.put

    def watched(self: Place, cursor: Any, **how: Any) -> Any:
        found = put(self, cursor, **how) if is_after else None
        act(self)
        return found if is_after else put(self, cursor, **how)

    with mock.patch.object(Place, "put", watched):
        yield
