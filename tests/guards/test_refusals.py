"""What a question is refused with stands in the API's description."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from config.api.errors import DomainError
from tests.guards.raised import raised_by

# Besides the handler, what the viewsets of the framework call.
_HOOKS = ("get_object", "get_queryset", "filter_queryset", "narrow")


@cache
def description() -> dict[str, Any]:
    generator: Any = SchemaGenerator()
    return dict(generator.get_schema(public=True)["paths"])


def questions() -> list[tuple[str, Any]]:
    """Path and view of every described operation that reads."""
    generator: Any = SchemaGenerator()
    generator.get_schema(public=True)
    rows = generator._get_paths_and_endpoints()
    return [(path, view) for path, _, verb, view in rows if verb == "GET" and path in description()]


def refusals(view: Any) -> set[type[DomainError]]:
    """Those that a client can bring about."""
    hooks = [getattr(type(view), name, None) for name in (handler_of(view), *_HOOKS)]
    raised = set().union(*(raised_by(hook, type(view)) for hook in hooks if hook))
    return {error for error in raised if error.status < 500}


def handler_of(view: Any) -> str:
    return getattr(view, "action", None) or "get"


@pytest.mark.parametrize(
    ("path", "view"), [pytest.param(*question, id=question[0]) for question in questions()]
)
def test_a_question_is_refused_with_what_it_says(path: str, view: Any) -> None:
    told = {int(status) for status in description()[path]["get"]["responses"]}
    raised = refusals(view)
    assert {error.status for error in raised} <= told
    declared = getattr(getattr(view, handler_of(view)), "refused_with", ())
    assert raised.issuperset(declared)


def test_refusals_are_found_however_deep_they_lie() -> None:
    found = {error.code for path, view in questions() for error in refusals(view)}
    assert {"too_many_points", "too_many_rows", "range_too_wide", "calendar_unknown"} <= found
