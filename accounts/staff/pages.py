"""What the staff's pages share: who is looking, what is only to look at, how a refusal is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest, HttpResponse

from accounts.users.models import User
from config.api.errors import DomainError


class Listed(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """A list with a heading of its own, which says what to do while it is empty."""

    heading = ""
    empty = ""
    show_full_result_count = False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = {"heading": self.heading, "empty": self.empty, **(extra_context or {})}
        return super().changelist_view(request, shown)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        shown = {"heading": self.heading, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, shown)


class ReadOnly(Listed):
    """A list and its rows, to look at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def at(moment: datetime | None) -> str:
    """In one shape everywhere; a dash for what has not happened."""
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "–"


def person(request: HttpRequest) -> User:
    """Who is logged in; the site lets nobody else through."""
    return cast(User, request.user)


@contextmanager
def told(form: Form) -> Iterator[None]:
    """Says a domain error at the form."""
    try:
        yield
    except DomainError as fault:
        form.add_error(None, fault.detail)


@contextmanager
def said(page: Any, request: HttpRequest) -> Iterator[None]:
    """Tells the member of staff how it went."""
    try:
        yield
    except DomainError as fault:
        page.message_user(request, fault.detail, messages.ERROR)
    else:
        page.message_user(request, "Done.")
