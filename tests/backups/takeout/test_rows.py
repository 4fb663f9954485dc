"""Rows as COPY writes them, as CSV."""

from __future__ import annotations

import csv
import io

import pytest

from backups.archive.manifest import Column, TableHead
from backups.takeout import rows


def table(*kinds: str) -> TableHead:
    return TableHead("t", tuple(Column(f"c{n}", kind) for n, kind in enumerate(kinds)))


def written(head: TableHead, *blocks: bytes) -> str:
    return b"".join(rows.written(head, blocks)).decode()


def one(value: bytes, kind: str) -> str:
    """A value's cell, as it stands in the file."""
    lines = written(table("uuid", kind), b"x\t" + value + b"\n").split("\r\n", 1)
    return lines[1].removeprefix("x,").removesuffix("\r\n")


@pytest.mark.parametrize(
    ("value", "kind", "cell"),
    [
        (rb"\N", "text", ""),
        (b"", "text", '""'),
        (b"plain", "text", "plain"),
        (b"a,b", "text", '"a,b"'),
        (b'say "x"', "text", '"say ""x"""'),
        (rb"two\nlines", "text", '"two\nlines"'),
        (rb"a\tb\\c\b\f\v", "text", "a\tb\\c\b\f\v"),
        (rb"C:\\new", "text", r"C:\new"),
        ("ölga ☃".encode(), "character varying(20)", "ölga ☃"),
        (b"=1+1", "text", "'=1+1"),
        (b"@x", "character varying(5)", "'@x"),
        (rb"a\n=1", "text", "\"a\n'=1\""),
        (b"-1.50", "numeric(38,18)", "-1.50"),
        (b"2026-01-02 03:04:05.6+00", "timestamp with time zone", "2026-01-02 03:04:05.6+00"),
        (b't', "boolean", "t"),
        (b'{"a": ";=1"}', "jsonb", '"{""a"": ""\\u003b=1""}"'),
        (b'"=1"', "jsonb", '"\'""=1"""'),
    ],
)  # fmt: skip
def test_a_value_is_written_as_it_is_and_calculates_nothing(
    value: bytes, kind: str, cell: str
) -> None:
    assert one(value, kind) == cell


def test_bytes_do_not_come_along() -> None:
    head = table("uuid", "bytea", "text")
    assert written(head, b"x\t\\\\x00ff\tnote\n") == "c0,c2\r\nx,note\r\n"
    assert [column.name for column in rows.columns(head)] == ["c0", "c2"]


def test_a_block_may_end_anywhere() -> None:
    content = "".join(f"{n}\tö{n}\\n\n" for n in range(300)).encode()
    whole = written(table("integer", "text"), content)
    for size in (1, 2, 7, 1000):
        pieces = [content[at : at + size] for at in range(0, len(content), size)]
        assert written(table("integer", "text"), *pieces) == whole
    read = list(csv.reader(io.StringIO(whole, newline="")))
    assert read == [["c0", "c1"], *([str(n), f"ö{n}\n"] for n in range(300))]


def test_no_rows_are_a_line_of_names() -> None:
    assert written(table("uuid", "text")) == "c0,c1\r\n"


def test_rows_go_on_before_all_have_come() -> None:
    lines = (b"x" * 99 + b"\n" for _ in range(10_000))
    pieces = list(rows.written(table("text"), lines))
    assert max(map(len, pieces)) < 70_000 < sum(map(len, pieces))
