"""Hazards in SQL that a migration brings as text. Pure.

It is read by its words. What is not known to be harmless is a hazard itself: `unreadable_sql`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from tenants.fleet import sql_words
from tenants.fleet.sql_words import Statement, Unreadable

UNREADABLE = "unreadable_sql"
_HARMLESS = ""
_SAID = 60  # characters of a statement

# The first that fits its beginning says what a statement is; "" where that is nothing.
_STATEMENTS = (
    ("own_locks", r"LOCK\b|SET (?:LOCAL |SESSION )?LOCK_TIMEOUT\b"),
    (_HARMLESS, r"SELECT|WITH|VALUES|INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|COPY|SET|RESET"),
    (_HARMLESS, r"GRANT|REVOKE|COMMENT ON|ANALYZE|SECURITY LABEL"),
    (_HARMLESS, r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY\b"),
    ("index_under_lock", r"CREATE (?:UNIQUE )?INDEX\b"),
    (_HARMLESS, r"CREATE (?:UNLOGGED )?TABLE\b"),
    (
        _HARMLESS,
        r"CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE|AGGREGATE|(?:CONSTRAINT )?TRIGGER|VIEW"
        r"|SCHEMA|SEQUENCE|TYPE|DOMAIN|EXTENSION|ROLE|POLICY|STATISTICS)\b",
    ),
    ("table_removed", r"DROP (?:(?:FOREIGN )?TABLE|(?:MATERIALIZED )?VIEW|SCHEMA|OWNED)\b"),
    (
        _HARMLESS,
        r"DROP (?:INDEX|FUNCTION|PROCEDURE|AGGREGATE|TRIGGER|SEQUENCE|TYPE|DOMAIN|EXTENSION|ROLE"
        r"|POLICY|STATISTICS)\b",
    ),
    (_HARMLESS, r"ALTER INDEX\b"),
    ("renamed", r"ALTER (?!TABLE\b).* (?:RENAME|SET SCHEMA)\b"),
    (_HARMLESS, r"ALTER TYPE \S+ ADD VALUE\b|ALTER DEFAULT PRIVILEGES\b"),
    (_HARMLESS, r"ALTER (?:FUNCTION|PROCEDURE|SEQUENCE|POLICY|ROLE|SCHEMA|VIEW|EXTENSION)\b"),
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
        _HARMLESS,
        rf"{_COLUMN}(?:DROP (?:NOT NULL|DEFAULT|IDENTITY|EXPRESSION)|RESET|RESTART|ADD GENERATED"
        r"|SET (?:DEFAULT|STATISTICS|STORAGE|COMPRESSION|GENERATED|\())",
    ),
    ("table_rewritten", r"SET (?:LOGGED|UNLOGGED|TABLESPACE|ACCESS METHOD)\b"),
    (_HARMLESS, r"(?:ENABLE|DISABLE|FORCE|NO FORCE|OWNER TO|REPLICA IDENTITY|CLUSTER ON)\b"),
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
# What gives one value for all rows there are. A type's length looks like a function's arguments.
NOT_VOLATILE = (
    *("now", "statement_timestamp", "transaction_timestamp", "date_trunc", "make_interval"),
    *("current_setting", "lower", "upper", "concat", "jsonb_build_object", "jsonb_build_array"),
)
_NO_FUNCTIONS = (
    *("nullif", "coalesce", "cast", "row", "array", "in", "any"),
    *("varchar", "char", "numeric", "decimal", "timestamp", "timestamptz", "time", "interval"),
)
_ONE_VALUE = {name.upper() for name in (*NOT_VOLATILE, *_NO_FUNCTIONS)}
_NAME = re.compile(r'"|[A-Z_]')
_TABLE = re.compile(
    r"(?:(?:ALTER|DROP|LOCK|TRUNCATE|REINDEX)(?: TABLE)?|CLUSTER"
    r"|VACUUM(?: FULL| \( [^)]*\))?|.*? ON)"
    r" (?:IF EXISTS )?(?:ONLY )?(?:\S+ \. )?(\S+)"
)
# One that may have been there is not new.
_NEW_TABLE = re.compile(r"CREATE (?:UNLOGGED )?TABLE (?!IF NOT EXISTS)(?:\S+ \. )?(\S+)")
_ROWS = re.compile(r"(?:WITH\b.* )?(?:UPDATE|DELETE FROM|INSERT INTO|MERGE INTO|COPY)\b")


def hazards(sql: str, new_tables: Collection[str]) -> Iterator[tuple[str, str]]:
    """Codes, and the statements they are found in, shortened; new tables have no readers."""
    try:
        found = list(sql_words.statements(sql))
    except Unreadable:
        yield UNREADABLE, _shortened(sql)
        return
    without_readers = {*new_tables, *_made(found)}
    for statement in found:
        if _table(statement) not in without_readers:
            for code in _codes(statement):
                yield code, _shortened(statement.source)


def changes_rows(sql: str) -> bool:
    """What can't be read says so itself."""
    try:
        return any(_ROWS.match(statement.text) for statement in sql_words.statements(sql))
    except Unreadable:
        return False


def is_volatile(expression: str) -> bool:
    """Whether it may give each row another value: any function may that is not known."""
    (whole,) = sql_words.statements(expression)
    called = zip(whole.words, whole.words[1:], strict=False)
    names = [word for word, then in called if then == "(" and _NAME.match(word)]
    return any(word not in _ONE_VALUE for word in names)


def _codes(statement: Statement) -> Iterator[str]:
    if statement.words[:2] == ("ALTER", "TABLE"):
        for action in statement.after(_end_of_table(statement)).parts():
            yield from _of_action(action)
    else:
        yield from _named(_first(_STATEMENTS, statement.text))


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
    default = _default(action)
    if default and is_volatile(default):
        yield "table_rewritten"


def _default(action: Statement) -> str:
    """Its expression, up to whatever else is said of the column."""
    _, _, rest = action.text.partition(" DEFAULT ")
    found, depth = [], 0
    for word in rest.split():
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in _NEXT:
            break
        found.append(word)
    return " ".join(found)


def _named(code: str | None) -> Iterator[str]:
    if code is None:
        yield UNREADABLE
    elif code != _HARMLESS:
        yield code


def _first(rules: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((code for code, pattern in rules if re.match(pattern, text)), None)


def _made(found: list[Statement]) -> set[str]:
    tables = (_NEW_TABLE.match(statement.text) for statement in found)
    return {sql_words.name(table[1]) for table in tables if table}


def _table(statement: Statement) -> str | None:
    """What it is about, as far as that is a table."""
    found = _TABLE.match(statement.text)
    is_one = statement.words[0] == "ALTER" or "," not in statement.outside
    return sql_words.name(found[1]) if found and is_one else None


def _end_of_table(statement: Statement) -> int:
    """How many words of ALTER TABLE come before what is altered."""
    found = _TABLE.match(statement.text)
    return len(found[0].split()) if found else 2


def _shortened(text: str) -> str:
    return " ".join(text.split())[:_SAID]
