"""Values that matching makes by the million: frozen to the type checker, plain at runtime.

A dataclass that is frozen at runtime takes four times as long to make, and that was most of what
a backtest did.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["record"]

_C = TypeVar("_C", bound=type)

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool, **given: Any) -> Callable[[_C], _C]:
        """As `dataclass`: compared, and hashed, as the frozen one would be."""
        if not frozen:
            raise TypeError("a record is frozen")
        return dataclasses.dataclass(unsafe_hash=given.get("eq", True), **given)
