"""Plans: their limits change without a restart."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.staff import actions as staff
from accounts.staff.pages import person
from tenants.lifecycle import plans
from tenants.models import Plan

_FACTS = (None, {"fields": ("code", "name", "has_own_schema")})
_LIMITS = (
    "What a tenant on it may use",
    {
        "fields": (
            *("requests_per_minute", "concurrent_requests", "statement_timeout_ms"),
            *("cache_quota_bytes", "max_rows", "max_bytes"),
        ),
        "description": "A change holds from the next request on. Rows and bytes: none is no end.",
    },
)
_BACKUPS = (
    "Backups that are kept",
    {"fields": ("backups_daily", "backups_weekly", "backups_monthly")},
)


@admin.register(Plan)
class PlanPages(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = (
        *("name", "code", "has_own_schema", "requests_per_minute", "concurrent_requests"),
        *("statement_timeout_ms", "max_rows", "max_bytes"),
    )
    fieldsets = (_FACTS, _LIMITS, _BACKUPS)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tenants are on it, or were: a plan is left alone."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Where its tenants live is for moves to change, and its code is its name elsewhere."""
        return ("code", "has_own_schema") if obj else ()

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        by = staff.named(person(request)).name
        plans.change(plan=obj, changed=form.changed_data, by=by)
