"""What the staff sees and does: tenants as customers, support sessions, the platform's trail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone

from accounts.support import actions as support
from accounts.support.models import SupportSession
from accounts.trail.models import PlatformEvent
from accounts.users.models import User
from config.api.errors import DomainError
from tenants import cache, slots, usage
from tenants.models import Tenant
from tenants.usage import Period


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list and its rows, to look at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Tenant)
class TenantAdmin(ReadOnly):
    """Customers, where they live and how much they ask; never what they have."""

    list_display = (
        *("slug", "name", "status", "tier", "plan", "limit", "this_hour", "last_day"),
        *("p95", "rows", "storage"),
    )
    list_filter = ("plan", "status", "placement", "region")
    search_fields = ("slug", "name")
    ordering = ("slug",)
    fields = (
        ("slug", "name"),
        ("status", "status_reason"),
        ("tier", "plan", "limit"),
        ("placement", "region", "created_at"),
        ("this_hour", "last_day", "p95"),
        ("rows", "storage", "cache", "at_a_time"),
    )
    readonly_fields = (
        *("tier", "limit", "this_hour", "last_day", "p95"),
        *("rows", "storage", "cache", "at_a_time"),
    )
    list_select_related = ("plan", "measured")
    change_form_template = "staff/tenant.html"

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The page's tenants with what they use, asked for once."""
        changes = super().get_changelist_instance(request)
        changes.result_list = _with_usage(list(changes.result_list))
        return changes

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Tenant | None:
        found = super().get_object(request, object_id, from_field)
        return _with_usage([found])[0] if found else None

    @admin.display(description="Limit a minute")
    def limit(self, tenant: Tenant) -> int:
        return int(tenant.plan.requests_per_minute)

    @admin.display(description="Requests this hour (UTC)")
    def this_hour(self, tenant: Tenant) -> str:
        return _told(tenant.usage.this_hour)

    @admin.display(description="Requests in 24 hours")
    def last_day(self, tenant: Tenant) -> str:
        return _told(tenant.usage.day)

    @admin.display(description="p95 in 24 hours")
    def p95(self, tenant: Tenant) -> str:
        found = tenant.usage.day.p95_ms
        return "-" if found is None else f"{found:,} ms"

    @admin.display(description="Rows")
    def rows(self, tenant: Tenant) -> str:
        return _of(_measured(tenant, "rows"), tenant.plan.max_rows)

    @admin.display(description="Storage")
    def storage(self, tenant: Tenant) -> str:
        return _of(_measured(tenant, "bytes"), tenant.plan.max_bytes, filesizeformat)

    @admin.display(description="Cache")
    def cache(self, tenant: Tenant) -> str:
        held = cache.held_bytes(tenant.pk)
        return _of(held, tenant.plan.cache_quota_bytes, filesizeformat)

    @admin.display(description="Requests under way")
    def at_a_time(self, tenant: Tenant) -> str:
        return _of(slots.taken(tenant.pk), tenant.plan.concurrent_requests)


@admin.register(PlatformEvent)
class PlatformEventAdmin(ReadOnly):
    """What was done on the platform; `verify_audit` says whether all of it still stands."""

    list_display = ("at", "actor", "action", "kind", "key", "address")
    list_filter = ("action",)
    search_fields = ("actor", "key")
    ordering = ("-at", "-id")


class SupportForm(forms.ModelForm):  # type: ignore[type-arg]
    """A tenant and a reason; everything else follows."""

    class Meta:
        model = SupportSession
        fields = ("tenant", "reason")


@admin.register(SupportSession)
class SupportSessionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Ask to be let in, let a colleague in, end it."""

    form = SupportForm
    list_display = ("tenant", "staff_email", "reason", "requested_at", "opened_at", "ended_at")
    ordering = ("-requested_at",)
    actions = ("let_in", "end", "show_token")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Django's own would open a transaction here, and a tenant is entered with one's own."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = SupportForm(request.POST or None)
        if not form.is_valid():
            context = {**self.admin_site.each_context(request), "form": form}
            return render(request, "staff/door.html", {**context, "title": "Ask to be let in"})
        given = form.cleaned_data
        support.ask(
            tenant=given["tenant"],
            staff=_staff(request),
            reason=given["reason"],
            now=timezone.now(),
        )
        return HttpResponseRedirect(reverse("admin:accounts_supportsession_changelist"))

    @admin.action(description="Let the colleague in", permissions=["view"])
    def let_in(self, request: HttpRequest, chosen: QuerySet[SupportSession]) -> None:
        for session in chosen:
            with _said(self, request):
                support.open_by_staff(session=session, by=_staff(request), now=timezone.now())

    @admin.action(description="End", permissions=["view"])
    def end(self, request: HttpRequest, chosen: QuerySet[SupportSession]) -> None:
        for session in chosen:
            with _said(self, request):
                support.end_by_staff(session=session, by=_staff(request), now=timezone.now())

    @admin.action(description="Show me an access token", permissions=["view"])
    def show_token(
        self, request: HttpRequest, chosen: QuerySet[SupportSession]
    ) -> HttpResponse | None:
        """On this answer alone: a message would wait in the session, and begin with a capital."""
        tokens = []
        for session in chosen:
            with _said(self, request):
                tokens.append(
                    support.issue_token(session=session, staff=_staff(request), now=timezone.now())
                )
        if not tokens:
            return None
        shown = {"title": "Access tokens", "tokens": tokens}
        return render(
            request, "staff/tokens.html", {**self.admin_site.each_context(request), **shown}
        )


def _with_usage(tenants: list[Tenant]) -> list[Tenant]:
    """Each with its `usage`, for the columns."""
    found = usage.of_each([tenant.pk for tenant in tenants], now=timezone.now())
    for tenant, used in zip(tenants, found, strict=True):
        tenant.usage = used
    return tenants


def _told(asked: Period) -> str:
    count = asked.count
    told = f"{count.admitted:,} admitted ({asked.a_minute:,} a minute), {count.refused:,} refused"
    return f"{told}, {count.crowded:,} crowded, {count.failed:,} failed"


def _measured(tenant: Tenant, what: str) -> int | None:
    """None until it was counted."""
    return getattr(getattr(tenant, "measured", None), what, None)


def _of(held: int | None, most: int | None, told: Callable[[int], str] = "{:,}".format) -> str:
    """Such as `12 of 8,000`; a dash for what nobody has counted, or has no end."""
    shown = ["-" if number is None else told(number) for number in (held, most)]
    return " of ".join(shown)


@contextmanager
def _said(page: Any, request: HttpRequest) -> Iterator[None]:
    """Tells the member of staff how it went."""
    try:
        yield
    except DomainError as fault:
        page.message_user(request, fault.detail, messages.ERROR)
    else:
        page.message_user(request, "Done.")


def _staff(request: HttpRequest) -> User:
    """Who is logged in; the site lets nobody else through."""
    return cast(User, request.user)
