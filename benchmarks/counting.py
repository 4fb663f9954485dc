"""Statements and round trips of a request, counted twice: on the wire and in the server's log."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import sql

from benchmarks.contestants import Contestant, started
from benchmarks.installation import Installation, elsewhere
from benchmarks.race import Case
from benchmarks.relay import relay

ASKED = 20
_LINE = r"\] {user}@\S+ LOG:  (?:statement|execute [^:]*): (.*)"
_LONG = 60  # characters of a statement that tell which one it is


@dataclass(frozen=True, slots=True)
class Count:
    """Per request. `logged` are the statements of one request as the server wrote them down."""

    round_trips: float
    messages: dict[str, float]
    statements: float
    logged: list[str]


def count(installation: Installation, contestant: Contestant, case: Case) -> Count:
    """Have the case's requests asked through a relay, with every statement logged."""
    user = urlsplit(contestant.dsn).username or ""
    _log_statements(installation, user, setting="all")
    with relay(installation.port) as (port, tally):
        through = replace(contestant, dsn=elsewhere(contestant.dsn, port=port))
        with started([through]) as (worker,):
            worker("load", requests=case.requests(through))
            worker("warm", times=ASKED)
            tally.reset()
            start = installation.log.stat().st_size
            worker("run", times=ASKED)
            trips, messages = tally.round_trips, dict(tally.messages)
            logged = _logged(installation.log, start, user)
    _log_statements(installation, user, setting="none")
    return Count(
        trips / ASKED,
        {name: number / ASKED for name, number in sorted(messages.items())},
        len(logged) / ASKED,
        [_known_by(line) for line in logged[: len(logged) // ASKED]],
    )


@contextmanager
def logged(
    installation: Installation, user: str
) -> Iterator[Callable[[], AbstractContextManager[list[str]]]]:
    """Have the statements of a role's new connections logged.

    Gives a context that fills a list with the statements that were run inside it.
    """

    @contextmanager
    def statements() -> Iterator[list[str]]:
        start, seen = installation.log.stat().st_size, list[str]()
        yield seen
        seen += map(_known_by, _logged(installation.log, start, user))

    _log_statements(installation, user, setting="all")
    try:
        yield statements
    finally:
        _log_statements(installation, user, setting="none")


def _log_statements(installation: Installation, user: str, *, setting: str) -> None:
    with installation.superuser() as connection:
        change = sql.SQL("ALTER ROLE {} SET log_statement = {}")
        connection.execute(change.format(sql.Identifier(user), sql.Literal(setting)))


def _logged(log: Path, start: int, user: str) -> list[str]:
    with log.open("rb") as file:
        file.seek(start)
        text = file.read().decode()
    return re.findall(_LINE.format(user=re.escape(user)), text)


def _known_by(statement: str) -> str:
    """Its beginning; ids and tickets are nobody's business and differ every time."""
    bare = re.sub(r"'[^']*'", "…", statement)
    return bare if len(bare) <= _LONG else f"{bare[:_LONG]}…"
