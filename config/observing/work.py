"""What this thread is at: the request, task or socket that lines, spans and statements are part of.

The name is a route's or a task's, so there are only so many of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from config.observing import interpreter, metrics

NAMELESS = "-"


@dataclass(slots=True)
class Work:
    """`tenant` and `actor` are told where the context itself is over, or was never entered.

    Its statements are counted here first: one look at the clock each, and no lock.
    """

    name: str = NAMELESS
    tenant: str = NAMELESS
    actor: str = NAMELESS
    statements: int = 0
    seconds: float = 0.0
    server_seconds: float = 0.0  # from its beginning, and without the wait for the interpreter

    def tell(self) -> None:
        """Have counted what there is since the last time: at the end, and for sockets before."""
        if self.statements:
            count, seconds = self.statements, self.seconds
            self.statements, self.seconds = 0, 0.0
            metrics.statements(self.name, count=count, seconds=seconds)


_current: ContextVar[Work | None] = ContextVar("work", default=None)


def current() -> Work | None:
    return _current.get()


def note_statement(seconds: float) -> None:
    work = _current.get()
    if work is None:
        metrics.statements(NAMELESS, count=1, seconds=seconds)
    else:
        work.statements += 1
        work.seconds += seconds
        work.server_seconds += max(0.0, seconds - interpreter.delay())


def tell_of_it() -> None:
    """Of what is long under way: count the statements that it has sent so far."""
    work = _current.get()
    if work is not None:
        work.tell()


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
        work.tell()
