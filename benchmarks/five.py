"""A request that runs five statements, for those that pay by the statement."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

PAGES = 5
ROWS = 10


class FiveQueries:
    """Five short pages of the view's rows, each a query of its own."""

    def list(self, request: Request) -> Response:
        view: Any = self
        rows = view.get_queryset().order_by("-created_at", "-id").values_list("id", flat=True)
        pages = [list(rows[page * ROWS : (page + 1) * ROWS]) for page in range(PAGES)]
        return Response({"results": pages})
