"""A statement without its values: what logs, traces and lists of slow ones may show."""

from __future__ import annotations

import re

LONGEST = 500  # characters
# Quoted names stay as they are; texts, bytes and numbers go. Whatever quote is not closed goes too.
_PARTS = re.compile(
    r"""
    (?P<name>"(?:[^"]|"")*")
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<dollar>\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<text>e'(?:[^'\\]|''|\\.)*(?:'|\Z)|[a-z]?'(?:[^']|'')*(?:'|\Z))
    | (?P<number>(?<![\w$%"])[-+]?\d[\w.]*)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_LIST = re.compile(r"\(\s*(?:%s|\?)(?:::\w+)?(?:\s*,\s*(?:%s|\?)(?:::\w+)?)+\s*\)")
_ROWS = re.compile(r"\(…\)(?:\s*,\s*\(…\))+")
_SPACE = re.compile(r"\s+")


def of(statement: str) -> str:
    """Its shape, shortened: lists of values are one thing, however long."""
    bare = _PARTS.sub(_without_value, statement[: 8 * LONGEST])
    shape = _ROWS.sub("(…)", _LIST.sub("(…)", _SPACE.sub(" ", bare))).strip()
    return shape if len(shape) <= LONGEST else f"{shape[: LONGEST - 1]}…"


def _without_value(found: re.Match[str]) -> str:
    if found["name"] is not None:
        return found["name"]
    return " " if found["comment"] is not None else "?"
