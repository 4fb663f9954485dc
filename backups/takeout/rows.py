"""Rows as COPY writes them, as CSV: what others can read, and no spreadsheet takes for a program.

NULL is nothing at all, an empty text is `""`. Columns of bytes do not come along: those that
tenants have hold sealed secrets, and digests of what stands beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from accounts.audit.csv_export import cell
from backups.archive.manifest import Column, TableHead

_BYTES = "bytea"
_TEXT = ("text", "character", "char", "name", "citext")  # what these types begin with
_JSON = ("json", "jsonb")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPELLED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_QUOTED = re.compile(r'[",\r\n]')
_AT_A_TIME = 65_536  # characters


def columns(head: TableHead) -> tuple[Column, ...]:
    """Those that come along."""
    return tuple(column for column in head.columns if column.type != _BYTES)


def written(head: TableHead, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """A table as a file of CSV, in pieces: a line of names, and one for each row."""
    chosen = [(place, column) for place, column in enumerate(head.columns) if column.type != _BYTES]
    waiting = ",".join(column.name for _, column in chosen) + "\r\n"
    for line in _lines(blocks):
        values = line.split("\t")
        waiting += ",".join(_cell(values[place], column.type) for place, column in chosen) + "\r\n"
        if len(waiting) > _AT_A_TIME:
            yield waiting.encode()
            waiting = ""
    yield waiting.encode()


def _lines(blocks: Iterable[bytes]) -> Iterator[str]:
    """A line feed ends a row and stands nowhere else; a block may end anywhere."""
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        yield from (line.decode() for line in whole)


def _cell(value: str, kind: str) -> str:
    if value == r"\N":
        return ""
    text = _ESCAPED.sub(lambda match: _SPELLED.get(match[1], match[1]), value)
    safe = _safe(text, kind)
    return f'"{safe.replace(chr(34), chr(34) * 2)}"' if not safe or _QUOTED.search(safe) else safe


def _safe(text: str, kind: str) -> str:
    """Numbers and times stay as they are; only text can be taken for a formula."""
    if kind in _JSON and text[:1] in ("{", "["):
        return text.replace(";", "\\u003b")  # spelled so it is the same JSON
    return cell(text) if kind in _JSON or kind.startswith(_TEXT) else text
