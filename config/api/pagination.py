"""Cursor pages: stable under inserts, and never a count over a tenant's rows."""

from __future__ import annotations

from typing import Any

from django.core import signing
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.utils.urls import replace_query_param

from config.api.problems import Invalid
from config.api.readers import reader_of

_DIGITS = 9


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
        self.list, self.reader = request.path, reader_of(request)
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Any) -> int | None:
        """More than there may be on a page is cut to that. Raises Invalid for what is no size."""
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdigit()) or not asked.strip("0"):
            raise Invalid(f"page_size is a whole number from 1 to {self.max_page_size}.")
        return self.max_page_size if len(asked) > _DIGITS else min(int(asked), self.max_page_size)

    def encode_cursor(self, cursor: Cursor) -> str:
        """The address of another page; the cursor in it is signed, and good for `_salt` alone."""
        token = signing.dumps(list(cursor), salt=self._salt())
        return str(replace_query_param(self.base_url or "", self.cursor_query_param, token))

    def decode_cursor(self, request: Any) -> Cursor | None:
        """Raises Invalid for a cursor that this list has not given to this person."""
        token = request.query_params.get(self.cursor_query_param)
        if token is None:
            return None
        try:
            return Cursor(*signing.loads(token, salt=self._salt()))
        except (signing.BadSignature, UnicodeError) as fault:
            raise Invalid("The cursor is not one of this list's.") from fault

    def _salt(self) -> str:
        """The list, its ordering, and who reads it: elsewhere a position would mean another row."""
        return "\n".join(("cursor", self.list, *self.ordering, self.reader))
