"""Query parameters: a misspelled filter is refused, for ignored it would choose everything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django_filters import Filter
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from config.api.pagination import CursorPages
from config.api.problems import Invalid

_SHOWN = 40  # characters of a name that is repeated to its author
PAGING = (CursorPages.page_size_query_param, CursorPages.cursor_query_param)


def check_known(request: Request, known: Iterable[str]) -> None:
    """Raises Invalid for a parameter that is none of these."""
    offered = sorted(known)
    for name in request.query_params:
        if name not in offered:
            there_are = ", ".join(offered) or "none"
            raise Invalid(f"There is no parameter {name[:_SHOWN]!r} here. There are: {there_are}.")


def asked_for(
    face: type[serializers.Serializer[Any]], request: Request, more: Iterable[str] = ()
) -> dict[str, Any]:
    """The query as `face` reads it. Raises Invalid for parameters that neither it nor `more` has,
    and ValidationError."""
    asked = face(data=request.query_params)
    check_known(request, {*asked.fields, *more})
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


class KnownParameters(BaseFilterBackend):
    """Lets through what the view's filters, ordering and pages read."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        check_known(request, self._known(queryset, view))
        return queryset

    def _known(self, queryset: Any, view: Any) -> set[str]:
        filters = DjangoFilterBackend().get_filterset_class(view, queryset)
        known = {"ordering"}  # `AllowedOrdering` says which
        for name, chosen in filters.base_filters.items() if filters else ():
            known.update(_names(name, chosen))
        return known.union(PAGING) if view.paginator else known


def _names(name: str, chosen: Filter) -> list[str]:
    """What a filter reads: its own name, or of a range one for each end."""
    widget = chosen.field_class.widget
    ends = getattr(widget, "suffixes", None)
    return [widget().suffixed(name, end) for end in ends] if ends else [name]
