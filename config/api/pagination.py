"""Cursor pages: stable under inserts, and never a count over a tenant's rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Field
from django.utils.timezone import is_naive
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination

from config.api.problems import Invalid

_DIGITS = 9
_NOWHERE = Cursor(offset=0, reverse=False, position=None)


class CursorPages(CursorPagination):
    """`{"next", "previous", "results"}`; `page_size` up to 200."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering: Any = ("-created_at", "-id")

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> Any:
        """The view's default or allowed ordering, ended by the key so that pages never overlap."""
        chosen = super().get_ordering(request, queryset, view)
        fields = tuple(name for name in chosen if name.lstrip("-") != "id")
        return (*fields, "-id" if fields[0].startswith("-") else "id")

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> Any:
        self.model = queryset.model  # what a cursor points into
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Any) -> int | None:
        """More than there may be on a page is cut to that. Raises Invalid for what is no size."""
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdigit()) or not asked.strip("0"):
            raise Invalid(f"page_size is a whole number from 1 to {self.max_page_size}.")
        return self.max_page_size if len(asked) > _DIGITS else min(int(asked), self.max_page_size)

    def decode_cursor(self, request: Any) -> Any:
        """Anyone can write a cursor. Raises Invalid for one that this list never gave out."""
        try:
            cursor = super().decode_cursor(request)
            _check_readable(cursor)
            if cursor is not None and cursor.position is not None:
                column = self.model._meta.get_field(self.ordering[0].lstrip("-"))
                _check_position(column, str(cursor.position))
        except (NotFound, ValidationError, ValueError, OverflowError) as fault:
            raise Invalid("The cursor is not one of this list's.") from fault
        return cursor


def _check_readable(cursor: Cursor | None) -> None:
    """Raises ValueError for one of which nothing was understood: it would be the first page."""
    if cursor == _NOWHERE:
        raise ValueError("no list gives out such a cursor")


def _check_position(column: Field[Any, Any], position: str) -> None:
    """Raises what conversion raises, or ValueError, for what is no value of the column."""
    value = column.to_python(position)
    if isinstance(value, datetime):
        if is_naive(value):
            raise ValueError("a position in time has its offset")
        value.astimezone(UTC)  # overflows at the ends of the calendar
    if "\0" in position:
        raise ValueError("PostgreSQL's texts have no NUL")
