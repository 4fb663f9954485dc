"""What this thread is at: the request, task or socket that lines, spans and statements are part of.

The name is a route's or a task's, so there are only so many of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

NAMELESS = "-"


@dataclass(slots=True)
class Work:
    """`tenant` and `actor` are told where the context itself is over, or was never entered."""

    name: str = NAMELESS
    tenant: str = NAMELESS
    actor: str = NAMELESS


_current: ContextVar[Work | None] = ContextVar("work", default=None)


def current() -> Work | None:
    return _current.get()


def name() -> str:
    """The name of what is being done; `-` for commands and whatever else nobody named."""
    work = _current.get()
    return work.name if work else NAMELESS


@contextmanager
def doing(work: Work) -> Iterator[Work]:
    """Whoever learns more of it meanwhile, such as the route, writes it there."""
    token = _current.set(work)
    try:
        yield work
    finally:
        _current.reset(token)
