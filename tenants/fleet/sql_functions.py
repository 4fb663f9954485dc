"""Functions that SQL calls, as far as their names say what they do. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

# What gives one value for all rows there are.
NOT_VOLATILE = (
    *("now", "statement_timestamp", "transaction_timestamp", "date_trunc", "make_interval"),
    *("current_setting", "lower", "upper", "concat", "jsonb_build_object", "jsonb_build_array"),
)
# What reads and reckons, and changes nothing.
HARMLESS = (
    *NOT_VOLATILE,
    *("count", "sum", "min", "max", "avg", "bool_and", "bool_or", "array_agg", "string_agg"),
    *("row_number", "rank", "lag", "lead", "first_value", "last_value", "unnest"),
    *("generate_series", "jsonb_agg", "to_jsonb", "abs", "round", "floor", "ceil", "length"),
    *("replace", "md5", "clock_timestamp", "random", "gen_random_uuid"),
)
# What looks like a call: grammar, and types whose length looks like arguments.
_NO_FUNCTIONS = (
    *("nullif", "coalesce", "greatest", "least", "cast", "extract", "row", "array", "in", "any"),
    *("varchar", "char", "numeric", "decimal", "timestamp", "timestamptz", "time", "interval"),
)
_OF_QUERIES = (
    *("all", "some", "exists", "values", "select", "distinct", "from", "join", "lateral", "using"),
    *("on", "where", "having", "and", "or", "not", "is", "like", "between", "case", "when", "then"),
    *("else", "by", "over", "filter", "as", "materialized", "union", "except", "intersect", "set"),
    *("returning", "limit", "offset", "conflict", "insert", "with"),
)
_ONE_VALUE = {name.upper() for name in (*NOT_VOLATILE, *_NO_FUNCTIONS)}
_KNOWN = {name.upper() for name in (*HARMLESS, *_NO_FUNCTIONS, *_OF_QUERIES)}
# What is named after one of these is a table, an alias or a type.
_NAMES_FOLLOW = {"INTO", "AS", "WITH", "COPY", "TABLE"}
_NAME = re.compile(r'"|[A-Z_]')


def are_volatile(words: Sequence[str]) -> bool:
    """Whether an expression may give each row another value: by any function that is not known."""
    return any(name not in _ONE_VALUE for name in called(words))


def are_unknown(words: Sequence[str]) -> bool:
    """Whether a query calls what may do anything, such as a function that a migration has made."""
    return any(name not in _KNOWN for name in called(words))


def called(words: Sequence[str]) -> Iterator[str]:
    """Names before parentheses; together with their schema where that is not PostgreSQL's own."""
    for at, (word, then) in enumerate(pairwise(words)):
        if then == "(" and _NAME.match(word):
            start = _start(words, at)
            if start == 0 or words[start - 1] not in _NAMES_FOLLOW:
                is_own = start == at or words[start] == "PG_CATALOG"
                yield word if is_own else ".".join(words[start : at + 1 : 2])


def _start(words: Sequence[str], at: int) -> int:
    """Where a name begins that ends there: names and dots take turns."""
    while at > 1 and words[at - 1] == ".":
        at -= 2
    return at
