"""What migrations do that an empty schema can do without. Pure.

They were written one after the other, for schemas with rows in them: FORCE is lifted and put back
where a key is checked, and rules are added that a later release takes away again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_FORCE = re.compile(r'ALTER TABLE ("\w+") (NO )?FORCE ROW LEVEL SECURITY')
# Keys and checks on rows: nothing else stands on them, as a reference does on a unique key.
_ADD = re.compile(
    r'ALTER TABLE ("\w+") ADD CONSTRAINT "?(\w+)"? (?:CHECK|FOREIGN KEY) [^;]*', re.DOTALL
)
_DROP = re.compile(r'ALTER TABLE ("\w+") DROP CONSTRAINT "?(\w+)"?')


def shortened(statements: Iterable[str]) -> tuple[str, ...]:
    """The same schema by fewer statements; those that are not understood stay as they are."""
    return tuple(_without_the_passing(_forced_once(list(statements))))


def _forced_once(statements: list[str]) -> list[str]:
    """Each table as it is in the end; until then it is empty, and nobody's but the owner's."""
    last = {match[1]: at for at, match in _matches(_FORCE, statements)}
    return [
        statement
        for at, statement in enumerate(statements)
        if (match := _FORCE.fullmatch(statement)) is None or last[match[1]] == at
    ]


def _without_the_passing(statements: list[str]) -> list[str]:
    """Rules that are dropped again are never added."""
    added: dict[tuple[str, str], int] = {}
    gone: set[int] = set()
    for at, statement in enumerate(statements):
        if match := _ADD.fullmatch(statement):
            added[match[1], match[2]] = at
        elif (match := _DROP.fullmatch(statement)) and (match[1], match[2]) in added:
            gone |= {at, added.pop((match[1], match[2]))}
    return [statement for at, statement in enumerate(statements) if at not in gone]


def _matches(
    pattern: re.Pattern[str], statements: list[str]
) -> Iterable[tuple[int, re.Match[str]]]:
    found = ((at, pattern.fullmatch(statement)) for at, statement in enumerate(statements))
    return [(at, match) for at, match in found if match]
