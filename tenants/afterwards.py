"""What is done once a transaction has been committed, and for which nobody is refused any more."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction


def do(act: Callable[[], object]) -> None:
    """After the commit, or now outside of a transaction; what it raises is logged, and no more.

    By a function of its own: Django logs what has failed by its `__qualname__`, which a `partial`
    has not, and would raise for want of it.
    """

    def done() -> None:
        act()

    transaction.on_commit(done, robust=True)
