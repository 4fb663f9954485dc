"""Hazards of SQL that reads and changes rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tenants.fleet import sql_functions, sql_words
from tenants.fleet.sql_words import Statement, Unreadable

UNREADABLE = "unreadable_sql"
_ROWS = re.compile(r"(?:WITH\b.* )?(?:UPDATE|DELETE FROM|INSERT INTO|MERGE INTO|COPY)\b")
_CHANGES = {"UPDATE", "DELETE", "MERGE"}
_WHICH = {"FROM", "USING", "WHERE"}
# Rows by their keys, by values that stand there, or no more than so many: not all of them.
_FEW = re.compile(
    r"""\bLIMIT (?:\d|%)|\( VALUES \(|(?<!\S)(?:"id"|ID) (?:=|IN \(|= ANY \() (?:''|\d|%)"""
)


def changes_rows(sql: str) -> bool:
    """What can't be read says so itself."""
    try:
        return any(_ROWS.match(statement.text) for statement in sql_words.statements(sql))
    except Unreadable:
        return False


def codes(query: Statement) -> Iterator[str]:
    """Of one that runs whatever functions it calls, at once."""
    called = set(sql_functions.called(query.words))
    if any(name.startswith("PG_ADVISORY_") for name in called) or _sets_patience(query, called):
        yield "own_locks"
    elif sql_functions.are_unknown(query.words):
        yield UNREADABLE
    if any(_takes_all(query.words, at) for at in _changes(query.words)):
        yield "rows_at_once"


def _sets_patience(query: Statement, called: set[str]) -> bool:
    return "SET_CONFIG" in called and "lock_timeout" in query.source.lower()


def _changes(words: tuple[str, ...]) -> Iterator[int]:
    """Where rows are changed: at the beginning, and in and after what WITH names."""
    for at, word in enumerate(words):
        if word in _CHANGES and (at == 0 or words[at - 1] in "()"):
            yield at


def _takes_all(words: tuple[str, ...], start: int) -> bool:
    """Whether the change that begins there may be one of all rows, by what it says of which."""
    change = _until_closed(words[start:])
    levels = list(sql_words.levels(change))
    # The second word may be the FROM of DELETE.
    which = [at for at in range(2, len(change)) if levels[at] == 0 and change[at] in _WHICH]
    if not any(change[at] == "WHERE" for at in which) and change[0] != "MERGE":
        return True
    said = (*words[:start], *change[which[0] :])
    return _FEW.search(" ".join(said)) is None


def _until_closed(words: tuple[str, ...]) -> tuple[str, ...]:
    """Up to the parenthesis that was open before them."""
    depth = 0
    for at, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if depth < 0:
            return words[:at]
    return words
