"""What Django's cursors and psycopg's have in common."""

from __future__ import annotations

from typing import Any, Protocol


class Cursor(Protocol):
    """Of whichever of the two."""

    def execute(self, query: Any, params: Any = None, /) -> Any: ...

    def fetchall(self) -> list[Any]: ...
