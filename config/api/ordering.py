"""`ordering` from an allow-list: a view that names no fields offers no ordering."""

from __future__ import annotations

from typing import Any

from rest_framework.filters import OrderingFilter

from config.api.problems import Invalid


class AllowedOrdering(OrderingFilter):
    def get_valid_fields(self, queryset: Any, view: Any, context: Any = None) -> Any:
        return [(name, name) for name in getattr(view, "ordering_fields", ())]

    def remove_invalid_fields(
        self, queryset: Any, fields: Any, view: Any, request: Any
    ) -> list[str]:
        valid = super().remove_invalid_fields(queryset, fields, view, request)
        if len(valid) != len(fields):
            allowed = ", ".join(getattr(view, "ordering_fields", ())) or "nothing"
            raise Invalid(f"`ordering` takes: {allowed}.")
        return list(valid)
