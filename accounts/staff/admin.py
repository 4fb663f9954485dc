"""Support sessions and the platform's trail; tenants and plans have files of their own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.staff import plan_pages, tenant_pages
from accounts.staff.pages import Listed, ReadOnly, at, person, said
from accounts.support import actions as support
from accounts.support.models import SupportSession
from accounts.trail.models import PlatformEvent

__all__ = ["PlatformEventAdmin", "SupportSessionAdmin", "plan_pages", "tenant_pages"]


@admin.register(PlatformEvent)
class PlatformEventAdmin(ReadOnly):
    """What was done on the platform; `verify_audit` says whether all of it still stands."""

    heading = "Trail"
    empty = "Nothing has been done on the platform yet."
    list_display = ("when", "action", "on", "who", "address")
    list_display_links = ("action",)
    search_fields = ("actor", "action", "key")
    search_help_text = "By who, what, or on what"
    ordering = ("-at", "-id")

    @admin.display(description="When (UTC)", ordering="at")
    def when(self, event: PlatformEvent) -> str:
        return at(event.at)

    @admin.display(description="On", ordering="key")
    def on(self, event: PlatformEvent) -> str:
        return event.key or event.kind

    @admin.display(description="Who", ordering="actor")
    def who(self, event: PlatformEvent) -> str:
        return event.actor.removeprefix("system:")


class SupportForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """A tenant and a reason; everything else follows."""

    class Meta:
        model = SupportSession
        fields = ("tenant", "reason")


@admin.register(SupportSession)
class SupportSessionAdmin(Listed):
    """Ask to be let in, let a colleague in, end it."""

    heading = "Support sessions"
    empty = "Nobody has asked to be let into a tenant. “New support session” asks."
    form = SupportForm
    list_display = ("tenant", "staff_email", "reason", "asked_at", "let_in_at", "over_at")
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
            staff=person(request),
            reason=given["reason"],
            now=timezone.now(),
        )
        return HttpResponseRedirect(reverse("admin:accounts_supportsession_changelist"))

    @admin.display(description="Asked (UTC)", ordering="requested_at")
    def asked_at(self, session: SupportSession) -> str:
        return at(session.requested_at)

    @admin.display(description="Let in (UTC)", ordering="opened_at")
    def let_in_at(self, session: SupportSession) -> str:
        return at(session.opened_at)

    @admin.display(description="Ended (UTC)", ordering="ended_at")
    def over_at(self, session: SupportSession) -> str:
        return at(session.ended_at)

    @admin.action(description="Let the colleague in", permissions=["view"])
    def let_in(self, request: HttpRequest, chosen: QuerySet[SupportSession]) -> None:
        for session in chosen:
            with said(self, request):
                support.open_by_staff(session=session, by=person(request), now=timezone.now())

    @admin.action(description="End", permissions=["view"])
    def end(self, request: HttpRequest, chosen: QuerySet[SupportSession]) -> None:
        for session in chosen:
            with said(self, request):
                support.end_by_staff(session=session, by=person(request), now=timezone.now())

    @admin.action(description="Show me an access token", permissions=["view"])
    def show_token(
        self, request: HttpRequest, chosen: QuerySet[SupportSession]
    ) -> HttpResponse | None:
        """On this answer alone: a message would wait in the session, and begin with a capital."""
        tokens = []
        for session in chosen:
            with said(self, request):
                tokens.append(
                    support.issue_token(session=session, staff=person(request), now=timezone.now())
                )
        if not tokens:
            return None
        shown = {"title": "Access tokens", "tokens": tokens}
        return render(
            request, "staff/tokens.html", {**self.admin_site.each_context(request), **shown}
        )
