"""Cursor pages: stable under inserts, and never a count over a tenant's rows."""

from __future__ import annotations

from typing import Any

from rest_framework.pagination import CursorPagination


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
