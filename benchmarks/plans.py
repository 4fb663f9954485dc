"""The plans of the statements that a view really runs, and what they say about indexes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

_FIRST_COLUMNS = """
SELECT i.indexrelid::regclass::text, a.attname::text
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
"""


@dataclass
class Recorder:
    """An execute wrapper that keeps each SELECT, with its plan, as the view runs it."""

    plans: list[dict[str, Any]] = field(default_factory=list)

    def __call__(
        self, execute: Callable[..., Any], statement: str, params: Any, many: Any, context: Any
    ) -> Any:
        if statement.startswith("SELECT"):
            explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
            with context["connection"].connection.cursor() as cursor:
                (document,) = cursor.execute(explain, params).fetchone()
            parsed = json.loads(document) if isinstance(document, str) else document
            self.plans.append(parsed[0])
        return execute(statement, params, many, context)


def of_request(ask: Callable[[], object]) -> list[dict[str, Any]]:
    """The plans of all SELECTs of a request that is answered in this thread."""
    recorder = Recorder()
    with connection.execute_wrapper(recorder):
        ask()
    return recorder.plans


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan's node and all below it; takes EXPLAIN's document or a node."""
    node = plan.get("Plan", plan)
    yield node
    for child in node.get("Plans", []):
        yield from nodes(child)


def tables(plan: dict[str, Any]) -> set[str]:
    """All tables that are read."""
    return {n["Relation Name"] for n in nodes(plan) if "Relation Name" in n}


def sequential(plan: dict[str, Any]) -> list[str]:
    """Tables that are read from end to end."""
    return [n["Relation Name"] for n in nodes(plan) if n["Node Type"] == "Seq Scan"]


def indexes(plan: dict[str, Any]) -> list[str]:
    """Indexes that are read."""
    return [n["Index Name"] for n in nodes(plan) if "Index Name" in n]


def is_in_order(plan: dict[str, Any]) -> bool:
    """Whether the rows come from the index as the page wants them, without a sort."""
    return not [n for n in nodes(plan) if n["Node Type"] in ("Sort", "Incremental Sort")]


def most_rows(plan: dict[str, Any]) -> float:
    """Rows that come out of the node that has most of them, each time that it is asked."""
    return max(float(n["Actual Rows"]) * n["Actual Loops"] for n in nodes(plan))


def pages(plan: dict[str, Any]) -> int:
    """Pages touched, in the cache or not, by the statement itself."""
    node = plan["Plan"]
    return int(node["Shared Hit Blocks"] + node["Shared Read Blocks"])


def first_columns(cursor: Any, names: Sequence[str]) -> dict[str, str]:
    """The first column of each named index of the search_path."""
    cursor.execute(_FIRST_COLUMNS)
    return {name: column for name, column in cursor.fetchall() if name in names}
