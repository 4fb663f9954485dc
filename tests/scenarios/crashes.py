"""A database that goes away in the middle: before a statement or a commit, or right after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import OperationalError, connections


class Crash(OperationalError):
    """The connection broke."""


@contextmanager
def crash_at(moment: int | None) -> Iterator[None]:
    """Break at the n-th moment of whatever comes; None lets it through.

    The moments are those before each statement, before each commit, and after each: whoever is cut
    off there has done what was asked, and does not know.
    """
    connection, left = connections["default"], moment or 0
    commit = connection._commit

    def moment_passes() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Crash("gone")

    def executing(execute: Callable[..., Any], *asked: Any) -> Any:
        moment_passes()
        return execute(*asked)

    def committing() -> None:
        moment_passes()
        commit()
        moment_passes()

    with connection.execute_wrapper(executing), patch.object(connection, "_commit", committing):
        yield


def interrupted(act: Callable[[], Any], moment: int | None) -> Any:
    """What came of it; None where the n-th moment came first."""
    try:
        with crash_at(moment):
            answer = act()
    except Crash:
        return None
    return None if getattr(answer, "status_code", 200) == 503 else answer
