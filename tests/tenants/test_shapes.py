"""What is shown of a statement holds none of its values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.backend import shapes


@pytest.mark.parametrize(
    ("statement", "shape"),
    [
        ('SELECT "a"."b1" FROM "a" WHERE x = %s', 'SELECT "a"."b1" FROM "a" WHERE x = %s'),
        ("SELECT 1", "SELECT ?"),
        ("SELECT * FROM t WHERE n = -12.5e3 AND m<7", "SELECT * FROM t WHERE n = ? AND m<?"),
        ("SELECT 'it''s', E'a\\'b', $$x$$, $t$y$$z$t$", "SELECT ?, ?, ?, ?"),
        ("SELECT 'a\\' , b", "SELECT ? , b"),
        ("SELECT b FROM t2 -- of '1\n WHERE a /* 'x */ = $1", "SELECT b FROM t2 WHERE a = $1"),
        ("SELECT a WHERE b IN (%s, %s, %s)", "SELECT a WHERE b IN (…)"),
        ("SELECT a WHERE b IN (1,2)", "SELECT a WHERE b IN (…)"),
        ("INSERT INTO t VALUES (%s, %s), (%s, %s)", "INSERT INTO t VALUES (…)"),
        ("SELECT 'never closed", "SELECT ?"),
        ("SELECT\n  a,\t b", "SELECT a, b"),
    ],
)
def test_values_go_and_the_rest_stays(statement: str, shape: str) -> None:
    assert shapes.of(statement) == shape


@given(st.text(alphabet="ab'\\$\"-/*\n", max_size=30))
def test_a_quoted_text_never_shows(text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "XYZ'"
    assert "XYZ" not in shapes.of(f"SELECT {quoted} FROM t")


def test_a_shape_has_an_end() -> None:
    assert len(shapes.of("SELECT a" + ", b" * 5_000)) == shapes.LONGEST
