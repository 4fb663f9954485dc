"""Tenants as customers: where they live, how much they ask, what is done to them.

Never what they have.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from accounts.staff import changes, charts, facts, naming, queries, situation
from accounts.staff.changes import Asked, Change
from accounts.staff.forms import NewTenantForm
from accounts.staff.pages import ReadOnly, person, told
from accounts.staff.situation import Situation
from tenants import origin
from tenants.lifecycle import actions as lifecycle
from tenants.models import Tenant

_PAGE = "admin:tenants_tenant_change"


@admin.register(Tenant)
class TenantPages(ReadOnly):
    heading = "Tenants"
    empty = "There is no tenant yet. “New tenant” makes the first."
    list_display = (
        *("customer", "state", "plan", "requests", "p95", "errors"),
        *("rows", "storage", "last_backup"),
    )
    list_filter = ("status", "plan", "placement")
    search_fields = ("slug", "name")
    search_help_text = "By name or short name"
    ordering = ("slug",)
    list_select_related = ("plan", "measured")
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[Any]:
        see, change = (
            self.admin_site.admin_view(self.progress),
            self.admin_site.admin_view(self.ask),
        )
        return [
            path("<uuid:tenant_id>/progress/", see, name="tenant_progress"),
            path("<uuid:tenant_id>/do/<slug:code>/", change, name="tenant_do"),
            *super().get_urls(),
        ]

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The page's tenants with what they use, asked for once."""
        changes = super().get_changelist_instance(request)
        changes.result_list = facts.with_usage(list(changes.result_list), now=timezone.now())
        return changes

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A wish, which a worker carries out; the tenant's page shows how far it is."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewTenantForm(request.POST or None)
        with told(form):
            if form.is_valid():
                return self._made(request, **form.cleaned_data)
        return self._shown(request, "staff/new_tenant.html", title="New tenant", form=form)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Everything about one tenant; nothing on it can be typed over."""
        found = self.get_object(request, object_id)
        if found is None:
            return HttpResponseRedirect(reverse("admin:tenants_tenant_changelist"))
        now = timezone.now()
        here = situation.of(found, now=now)
        shown = {
            "title": found.name,
            "situation": here,
            "changes": changes.offered(here),
            "facts": facts.of(found, now=now),
            "events": queries.lately(found),
        }
        return self._shown(request, "staff/tenant.html", **shown)

    def progress(self, request: HttpRequest, tenant_id: UUID) -> HttpResponse:
        """The part of the tenant's page that changes while something is under way."""
        here = situation.of(self._tenant(request, tenant_id), now=timezone.now())
        return render(request, "staff/progress.html", {"situation": here})

    def ask(self, request: HttpRequest, tenant_id: UUID, code: str) -> HttpResponse:
        """A change: what it will do, what it takes to know, and then the one action."""
        now = timezone.now()
        change = changes.named(code)
        here = situation.of(self._tenant(request, tenant_id), now=now)
        if change is None:
            raise Http404
        if not change.is_offered(here):
            self.message_user(request, "That cannot be done now.", messages.WARNING)
            return HttpResponseRedirect(reverse(_PAGE, args=[tenant_id]))
        is_sent = request.method == "POST"
        form = change.form(request.POST if is_sent else None, tenant=here.tenant)
        with told(form):
            if form.is_valid():
                return self._carried_out(request, change, here, form.cleaned_data)
        shown = {"title": f"{change.label} {here.tenant.slug}", "form": form}
        return self._shown(
            request, "staff/confirm.html", change=change, tenant=here.tenant, **shown
        )

    @admin.display(description="Tenant", ordering="slug")
    def customer(self, tenant: Tenant) -> SafeString:
        return _cell("customer", tenant=tenant)

    @admin.display(description="Status", ordering="status")
    def state(self, tenant: Tenant) -> SafeString:
        return _cell("state", tenant=tenant)

    @admin.display(description="Requests, 24 h")
    def requests(self, tenant: Tenant) -> SafeString:
        usage = tenant.usage
        chart = charts.requests(usage.hours)
        return _cell("requests", chart=chart, number=f"{usage.day.count.admitted:,}")

    @admin.display(description="p95")
    def p95(self, tenant: Tenant) -> str:
        return facts.milliseconds(tenant.usage.day.p95_ms)

    @admin.display(description="Errors")
    def errors(self, tenant: Tenant) -> SafeString:
        return _cell("errors", count=tenant.usage.day.count)

    @admin.display(description="Rows", ordering="measured__rows")
    def rows(self, tenant: Tenant) -> SafeString:
        return _cell("meter", meter=facts.rows(tenant))

    @admin.display(description="Storage", ordering="measured__bytes")
    def storage(self, tenant: Tenant) -> SafeString:
        return _cell("meter", meter=facts.storage(tenant))

    @admin.display(description="Last backup")
    def last_backup(self, tenant: Tenant) -> str:
        return facts.last_backup(tenant)

    def _tenant(self, request: HttpRequest, tenant_id: UUID) -> Tenant:
        """Raises Http404."""
        tenants = self.get_queryset(request).select_related("plan")
        found: Tenant | None = tenants.filter(pk=tenant_id).first()
        if found is None:
            raise Http404
        return found

    def _made(self, request: HttpRequest, **wish: Any) -> HttpResponse:
        asked = lifecycle.start_provisioning(
            slug=wish["slug"],
            name=wish["name"],
            tier=wish["plan"],
            owner_email=wish["owner_email"].lower(),
            region=wish["region"],
            by=naming.actor_of(person(request)).name,
            now=timezone.now(),
        )
        return HttpResponseRedirect(reverse(_PAGE, args=[asked.tenant_id]))

    def _carried_out(
        self, request: HttpRequest, change: Change, here: Situation, given: dict[str, Any]
    ) -> HttpResponse:
        """Raises what the action raises."""
        who = person(request)
        change.carry_out(Asked(here, given, who, origin.of(request), timezone.now()))
        self.message_user(request, change.done)
        return HttpResponseRedirect(reverse(_PAGE, args=[here.tenant.pk]))

    def _shown(self, request: HttpRequest, template: str, **shown: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, **shown}
        return render(request, template, context)


def _cell(name: str, **shown: Any) -> SafeString:
    """One cell of the list, by its template, which escapes."""
    return mark_safe(render_to_string(f"staff/cells/{name}.html", shown))  # noqa: S308 - escaped there
