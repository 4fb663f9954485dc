"""Hazards in SQL that a migration brings as text. Pure.

It is read by its words. What is not known to be harmless is a hazard itself: `unreadable_sql`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from tenants.fleet import sql_functions, sql_queries, sql_words
from tenants.fleet.sql_queries import UNREADABLE
from tenants.fleet.sql_words import Statement, Unreadable

_HARMLESS = ""
_QUERY = "query"  # is looked at further
_WITH_READERS_OR_NOT = {UNREADABLE, "own_locks"}
_SAID = 60  # characters of a statement

# The first that fits its beginning says what a statement is; "" where that is nothing.
_STATEMENTS = (
    (
        "own_locks",
        r"LOCK\b|RESET ALL\b|(?:SET|RESET) (?:LOCAL |SESSION )?(?i:\"?LOCK_TIMEOUT)\b",
    ),
    (_QUERY, r"(?:SELECT|WITH|VALUES|INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|COPY)\b"),
    (_QUERY, r"CREATE (?:UNLOGGED )?TABLE\b.* AS (?:\( )?(?:SELECT|WITH|VALUES|TABLE)\b"),
    (_HARMLESS, r"(?:SET|RESET|GRANT|COMMENT ON|ANALYZE|SECURITY LABEL)\b"),
    # The application has its rights by name.
    (_HARMLESS, r"REVOKE\b.* FROM PUBLIC(?: CASCADE| RESTRICT)?$|ALTER DEFAULT PRIVILEGES\b"),
    (_HARMLESS, r"ALTER (?:ROLE|USER) \S+(?: WITH)?(?: (?:LOGIN|INHERIT|CREATEDB|CREATEROLE))+$"),
    (
        "rights_taken",
        r"REVOKE\b|(?:ALTER|DROP) (?:ROLE|USER|GROUP)\b|ALTER (?!TABLE\b).* OWNER TO\b",
    ),
    (_HARMLESS, r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY\b"),
    ("index_under_lock", r"CREATE (?:UNIQUE )?INDEX\b"),
    (_HARMLESS, r"DROP INDEX CONCURRENTLY\b"),
    ("index_dropped_under_lock", r"DROP INDEX\b"),
    (_HARMLESS, r"CREATE (?:UNLOGGED )?TABLE\b"),
    ("wall_changed", r"CREATE POLICY\b.* AS RESTRICTIVE\b|(?:ALTER|DROP) POLICY\b"),
    (
        _HARMLESS,
        r"CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE|AGGREGATE|(?:CONSTRAINT )?TRIGGER|VIEW"
        r"|SCHEMA|SEQUENCE|TYPE|DOMAIN|EXTENSION|ROLE|POLICY|STATISTICS)\b",
    ),
    ("table_removed", r"DROP (?:(?:FOREIGN )?TABLE|(?:MATERIALIZED )?VIEW|SCHEMA|OWNED)\b"),
    (
        "object_removed",
        r"DROP (?:FUNCTION|PROCEDURE|ROUTINE|AGGREGATE|TRIGGER|SEQUENCE|TYPE|DOMAIN|EXTENSION)\b",
    ),
    (_HARMLESS, r"DROP STATISTICS\b|ALTER INDEX\b"),
    ("renamed", r"ALTER (?!TABLE\b).* (?:RENAME|SET SCHEMA)\b"),
    (_HARMLESS, r"ALTER TYPE \S+ ADD VALUE\b"),
    ("table_emptied", r"TRUNCATE\b"),
    ("table_rewritten", r"CLUSTER\b|VACUUM\b.*\bFULL\b"),
    (_HARMLESS, r"VACUUM\b|REINDEX\b.*\bCONCURRENTLY\b"),
    ("index_under_lock", r"REINDEX\b"),
)
# The same for one action of ALTER TABLE; what adds a column is looked at further.
_NEW_COLUMN = "new_column"
_OF_CONSTRAINTS = r"ADD (?:CONSTRAINT|CHECK|UNIQUE|PRIMARY KEY|FOREIGN KEY|EXCLUDE)\b"
_COLUMN = r"ALTER (?:COLUMN )?\S+ "
_ACTIONS = (
    (_HARMLESS, rf"{_OF_CONSTRAINTS}.*\b(?:NOT VALID|USING INDEX)\b"),
    ("constraint_under_lock", rf"{_OF_CONSTRAINTS}|ATTACH PARTITION\b"),
    (_NEW_COLUMN, r"ADD\b"),
    (_HARMLESS, r"(?:DROP|VALIDATE|ALTER|RENAME) CONSTRAINT\b"),
    ("column_removed", r"DROP\b"),
    ("renamed", r"RENAME\b|SET SCHEMA\b"),
    ("type_changed", rf"{_COLUMN}(?:SET DATA )?TYPE\b"),
    ("column_required", rf"{_COLUMN}SET NOT NULL\b"),
    ("table_rewritten", rf"{_COLUMN}SET EXPRESSION\b"),
    (
        "default_removed",
        rf"{_COLUMN}(?:DROP (?:DEFAULT|IDENTITY|EXPRESSION)|SET DEFAULT NULL)\b",
    ),
    (
        _HARMLESS,
        rf"{_COLUMN}(?:DROP NOT NULL|RESET|RESTART|ADD GENERATED"
        r"|SET (?:DEFAULT|STATISTICS|STORAGE|COMPRESSION|GENERATED|\())",
    ),
    ("table_rewritten", r"SET (?:LOGGED|UNLOGGED|TABLESPACE|ACCESS METHOD)\b"),
    ("wall_changed", r"(?:ENABLE|DISABLE) ROW LEVEL SECURITY\b"),
    ("object_removed", r"DISABLE (?:TRIGGER|RULE)\b"),
    ("rights_taken", r"OWNER TO\b"),
    # Forced or not, policies hold for the running release: it is not the owner.
    (_HARMLESS, r"(?:ENABLE|FORCE|NO FORCE|REPLICA IDENTITY|CLUSTER ON)\b"),
    (
        _HARMLESS,
        r"(?:SET|RESET) \(|SET WITHOUT\b|(?:NO )?INHERIT\b|DETACH PARTITION .*CONCURRENTLY",
    ),
)
_CONSTRAINED = (
    ("index_under_lock", r"\b(?:UNIQUE|PRIMARY KEY)\b"),
    ("constraint_under_lock", r"\b(?:CHECK|REFERENCES)\b"),
    ("table_rewritten", r"\bSTORED\b|\bAS IDENTITY\b|\b(?:SMALL|BIG)?SERIAL[248]?\b"),
)
_PRESET = re.compile(r"\bDEFAULT\b|\bGENERATED\b|SERIAL[248]?\b")
# Ends the expression of a default, outside of parentheses.
_NEXT = {"NOT", "CHECK", "REFERENCES", "UNIQUE", "PRIMARY", "CONSTRAINT", "COLLATE", "GENERATED"}
_TABLE = re.compile(
    r"(?:(?:ALTER|DROP) (?:POLICY|TRIGGER) .*? ON"
    r"|(?:ALTER|DROP|LOCK|TRUNCATE|REINDEX)(?: TABLE)?|CLUSTER"
    r"|VACUUM(?: FULL| \( [^)]*\))?|UPDATE|DELETE FROM|MERGE INTO|.*? ON)"
    r" (?:IF EXISTS )?(?:ONLY )?(?:\S+ \. )?(\S+)"
)
# One that may have been there is not new.
_NEW_TABLE = re.compile(r"CREATE (?:UNLOGGED )?TABLE (?!IF NOT EXISTS)(?:\S+ \. )?(\S+)")
# Commas in these do not name more tables.
_OF_ONE_TABLE = {"ALTER", "UPDATE", "DELETE", "MERGE"}


def hazards(sql: str, new_tables: Collection[str]) -> Iterator[tuple[str, str]]:
    """Codes, and the statements they are found in, shortened; new tables have no readers."""
    try:
        found = list(sql_words.statements(sql))
    except Unreadable:
        yield UNREADABLE, _shortened(sql)
        return
    without_readers = set(new_tables)
    for statement in found:
        without_readers |= _made(statement)
        is_read = _table(statement) not in without_readers
        for code in _codes(statement):
            if is_read or code in _WITH_READERS_OR_NOT:
                yield code, _shortened(statement.source)


def _codes(statement: Statement) -> Iterator[str]:
    if statement.words[:2] == ("ALTER", "TABLE"):
        for action in statement.after(_end_of_table(statement)).parts():
            yield from _of_action(action)
        return
    code = _first(_STATEMENTS, statement.text)
    if code == _QUERY:
        yield from sql_queries.codes(statement)
    else:
        yield from _named(code)


def _of_action(action: Statement) -> Iterator[str]:
    code = _first(_ACTIONS, action.text)
    if code == _NEW_COLUMN:
        yield from _of_new_column(action)
    else:
        yield from _named(code)


def _of_new_column(action: Statement) -> Iterator[str]:
    said = action.outside
    if "NOT NULL" in said and not _PRESET.search(said):
        yield "column_without_default"
    for code, pattern in _CONSTRAINED:
        if re.search(pattern, said):
            yield code
    if sql_functions.are_volatile(_default(action)):
        yield "table_rewritten"


def _default(action: Statement) -> list[str]:
    """The words of its expression, up to whatever else is said of the column."""
    _, _, rest = action.text.partition(" DEFAULT ")
    found: list[str] = []
    depth = 0
    for word in rest.split():
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in _NEXT:
            break
        found.append(word)
    return found


def _named(code: str | None) -> Iterator[str]:
    if code is None:
        yield UNREADABLE
    elif code != _HARMLESS:
        yield code


def _first(rules: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((code for code, pattern in rules if re.match(pattern, text)), None)


def _made(statement: Statement) -> set[str]:
    table = _NEW_TABLE.match(statement.text)
    return {sql_words.name(table[1])} if table else set()


def _table(statement: Statement) -> str | None:
    """What it is about, as far as that is a table."""
    found = _TABLE.match(statement.text)
    is_one = statement.words[0] in _OF_ONE_TABLE or "," not in statement.outside
    return sql_words.name(found[1]) if found and is_one else None


def _end_of_table(statement: Statement) -> int:
    """How many words of ALTER TABLE come before what is altered."""
    found = _TABLE.match(statement.text)
    return len(found[0].split()) if found else 2


def _shortened(text: str) -> str:
    return " ".join(text.split())[:_SAID]
