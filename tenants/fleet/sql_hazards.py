"""Hazards in SQL that a migration brings as text. Pure.

It is read by its words: what stands between dollar quotes, and so runs later, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_BODY = re.compile(r"\$(\w*)\$.*?\$\1\$", re.S)
_TABLE = re.compile(
    r"(?:ALTER\s+TABLE|ON|DROP\s+TABLE)\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?"
    r"(?:\"?\w+\"?\.)?\"?(\w+)\"?",
    re.I,
)
_NEW = re.compile(r"\bCREATE\s+TABLE\s+(?:\"?\w+\"?\.)?\"?(\w+)\"?", re.I)
_PART = r"(?:\([^)]*\)|[^,(])*"  # up to the next action of the statement
_RULES = (
    ("column_removed", r"\bDROP\s+COLUMN\b"),
    ("table_removed", r"^DROP\s+TABLE\b"),
    ("renamed", r"\bRENAME\s+(?:(?:COLUMN\s+)?\S+\s+)?TO\b"),
    ("type_changed", r"\bALTER\s+(?:COLUMN\s+)?\S+\s+(?:SET\s+DATA\s+)?TYPE\b"),
    ("column_required", r"\bSET\s+NOT\s+NULL\b"),
    (
        "column_without_default",
        rf"\bADD\s+COLUMN\b(?={_PART}\bNOT\s+NULL\b)(?!{_PART}\b(?:DEFAULT|GENERATED)\b)",
    ),
    ("index_under_lock", r"^CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY\b)"),
    ("constraint_under_lock", r"\bADD\s+CONSTRAINT\b(?!.*\b(?:NOT\s+VALID|USING\s+INDEX)\b)"),
    ("own_locks", r"^LOCK\b|^SET\s+(?:LOCAL\s+|SESSION\s+)?lock_timeout\b"),
)
_PATTERNS = [(code, re.compile(pattern, re.I | re.S)) for code, pattern in _RULES]
_ROWS = re.compile(r"^(?:WITH\b.*\b)?(?:UPDATE|DELETE\s+FROM|INSERT\s+INTO|MERGE)\b", re.I | re.S)


def hazards(sql: str, new_tables: Collection[str]) -> Iterator[tuple[str, str]]:
    """Codes, and the statements they are found in, shortened; new tables have no readers."""
    made_here = {made[1] for made in _NEW.finditer(_BODY.sub("", sql))}
    for statement in _statements(sql):
        table = _TABLE.search(statement)
        if table and table[1] in made_here.union(new_tables):
            continue
        for code, pattern in _PATTERNS:
            if pattern.search(statement):
                yield code, " ".join(statement.split())[:60]


def changes_rows(sql: str) -> bool:
    return any(_ROWS.search(statement) for statement in _statements(sql))


def _statements(sql: str) -> Iterator[str]:
    for statement in _BODY.sub("", sql).split(";"):
        if statement.strip():
            yield statement.strip()
