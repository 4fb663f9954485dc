"""The platform's own pages: plans, whose limits change without a restart."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tenants.lifecycle import plans
from tenants.models import Plan


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = (
        *("code", "name", "requests_per_minute", "concurrent_requests"),
        *("statement_timeout_ms", "max_rows", "max_bytes"),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tenants are on it, or were: a plan is left alone."""
        return False

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        plans.change(plan=obj, changed=form.changed_data, by=f"staff:{request.user.pk}")
