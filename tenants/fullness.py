"""A tenant that has all the rows or bytes its plan gives it makes no new ones.

Reading, cancelling, closing and deleting go on: nobody is held in what they have. What a tenant has
is counted by a timer (`tenants/measuring`), and a request asks no database for it. Whoever has
deleted is counted soon, and so is who is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.utils import timezone

from config.api.errors import DomainError
from tenants import limits
from tenants.measuring import soon

_V = TypeVar("_V", bound=Callable[..., Any])


class RowLimitReached(DomainError):
    code = "row_limit_reached"
    status = 409
    title = "The tenant has as many rows as its plan allows. Delete some, or change the plan."


class StorageLimitReached(DomainError):
    code = "storage_limit_reached"
    status = 409
    title = "The tenant takes as much storage as its plan allows. Delete some, or change the plan."


def works_when_full(view: _V) -> _V:
    """For a POST that reads, cancels or closes."""
    view.works_when_full = True  # type: ignore[attr-defined]  # read by the viewsets' base
    return view


def makes_rows(view: _V) -> _V:
    """For a PATCH that leaves a row and puts another in its place."""
    view.makes_rows = True  # type: ignore[attr-defined]  # read by the viewsets' base
    return view


def refuse_if_full() -> None:
    """Raises RowLimitReached or StorageLimitReached for the entered tenant."""
    known = limits.entered()
    if known.is_full:
        soon.after_refusal(now=timezone.now())
    if known.has_all_rows:
        raise RowLimitReached
    if known.has_all_bytes:
        raise StorageLimitReached
