"""Plans: their limits change without a restart."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat

from accounts.staff import naming
from accounts.staff.pages import Listed, person
from tenants.lifecycle import plans
from tenants.models import Plan

_NO_END = "no end"


@admin.register(Plan)
class PlanPages(Listed):
    heading = "Plans"
    empty = "There is no plan yet, and without one no tenant. “New plan” makes the first."
    list_display = (
        "name",
        "code",
        "lives_in",
        "a_minute",
        "at_a_time",
        "busy",
        "longest",
        "rows",
        "storage",
    )
    fieldsets = (
        (None, {"fields": ("code", "name", "has_own_schema")}),
        (
            "What a tenant on it may use",
            {
                "fields": (
                    *("requests_per_minute", "concurrent_requests", "server_ms_per_second"),
                    *("statement_timeout_ms", "cache_quota_bytes", "max_rows", "max_bytes"),
                ),
                "description": "A change holds from the next request on. Server time is what"
                " requests and their statements take. No rows or bytes: no end.",
            },
        ),
        (
            "Backups that are kept",
            {"fields": ("backups_daily", "backups_weekly", "backups_monthly")},
        ),
    )

    @admin.display(description="Tenants live in", ordering="has_own_schema")
    def lives_in(self, plan: Plan) -> str:
        return "a schema of their own" if plan.has_own_schema else "the shared tables"

    @admin.display(description="Requests a minute", ordering="requests_per_minute")
    def a_minute(self, plan: Plan) -> str:
        return f"{plan.requests_per_minute:,}"

    @admin.display(description="At a time", ordering="concurrent_requests")
    def at_a_time(self, plan: Plan) -> str:
        return f"{plan.concurrent_requests:,}"

    @admin.display(description="Server time", ordering="server_ms_per_second")
    def busy(self, plan: Plan) -> str:
        return f"{plan.server_ms_per_second:,} ms a second"

    @admin.display(description="Longest statement", ordering="statement_timeout_ms")
    def longest(self, plan: Plan) -> str:
        return f"{plan.statement_timeout_ms / 1000:g} s"

    @admin.display(description="Rows", ordering="max_rows")
    def rows(self, plan: Plan) -> str:
        return _NO_END if plan.max_rows is None else f"{plan.max_rows:,}"

    @admin.display(description="Storage", ordering="max_bytes")
    def storage(self, plan: Plan) -> str:
        return _NO_END if plan.max_bytes is None else str(filesizeformat(plan.max_bytes))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tenants are on it, or were: a plan is left alone."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Where its tenants live is for moves to change, and its code is its name elsewhere."""
        return ("code", "has_own_schema") if obj else ()

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        by = naming.actor_of(person(request)).name
        plans.change(plan=obj, changed=form.changed_data, by=by)
