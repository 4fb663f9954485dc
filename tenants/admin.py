"""The platform's own pages: plans, whose limits change without a restart."""

from __future__ import annotations

from django.contrib import admin

from tenants.models import Plan


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("code", "name", "requests_per_minute", "statement_timeout_ms")
