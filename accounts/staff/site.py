"""The staff's pages: password, second factor, then plans, tenants, health, the platform's trail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.module_loading import import_string

from accounts.mfa import actions as mfa
from accounts.mfa.errors import AlreadyEnrolled
from accounts.passwords import actions as passwords
from accounts.staff import actions as staff
from accounts.staff import queries
from accounts.staff.forms import CodeForm, PasswordForm
from accounts.users.models import User
from config.api.errors import DomainError
from tenants import origin

VERIFIED = "second_factor_shown"  # in the session, after the code
ADD = "add"  # the button of who has no second factor


class StaffSite(admin.AdminSite):
    """Django's admin, for staff who have shown both factors."""

    site_header = site_title = "Bulkhead"
    index_template = "staff/index.html"

    def has_permission(self, request: HttpRequest) -> bool:
        is_staff = bool(request.user.is_active and request.user.is_staff)
        return is_staff and bool(request.session.get(VERIFIED))

    def get_urls(self) -> list[Any]:
        return [
            path("code/", self.code, name="code"),
            path("health/", self.admin_view(self.health), name="health"),
            *super().get_urls(),
        ]

    def admin_view(self, view: Any, *how: Any, **named: Any) -> Any:
        """Ids that no form of ours sends, which Django meets with a ValidationError: a 400."""

        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return cast(HttpResponse, view(request, *args, **kwargs))
            except ValidationError as fault:
                raise SuspiciousOperation from fault

        return super().admin_view(answered, *how, **named)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Email and password; the session is a new one from here on."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        form = PasswordForm(request.POST or None)
        with _told(form):
            if form.is_valid():
                login(request, staff.know(**form.cleaned_data, address=origin.of(request)))
                return HttpResponseRedirect(f"{reverse('admin:code')}?{request.GET.urlencode()}")
        return self._page(request, form, "Log in")

    def code(self, request: HttpRequest) -> HttpResponse:
        """The second factor: shown, or added by who has none yet."""
        person = request.user
        if not (isinstance(person, User) and person.is_active and person.is_staff):
            return HttpResponseRedirect(reverse("admin:login"))
        if ADD in request.POST:
            return self._add(request, person)
        form = CodeForm(request.POST or None)
        with _told(form):
            if form.is_valid():
                return self._let_in(request, person, form.cleaned_data["otp"])
        has_none = request.method != "POST" and not mfa.has_authenticator(person.id)
        return self._page(request, form, "Second factor", may_add=ADD if has_none else "")

    def _add(self, request: HttpRequest, person: User) -> HttpResponse:
        """A secret: shown on this page, kept nowhere in the clear, and a new one each time."""
        form = CodeForm()
        try:
            adding = mfa.enrol(user_id=person.id, email=person.email, now=timezone.now())
        except AlreadyEnrolled:
            return HttpResponseRedirect(reverse("admin:code"))
        return self._page(request, form, "Second factor", adding=adding)

    def _let_in(self, request: HttpRequest, person: User, otp: str) -> HttpResponse:
        """Raises what `staff.let_in` raises."""
        codes = staff.let_in(person=person, otp=otp, address=origin.of(request), now=timezone.now())
        request.session.cycle_key()
        request.session[VERIFIED] = True
        if codes:
            return self._page(request, None, "Log in", codes=codes)
        return HttpResponseRedirect(_next(request))

    def health(self, request: HttpRequest) -> HttpResponse:
        """Whether what the platform stands on answers, and how many tenants it carries."""
        context = {
            **self.each_context(request),
            "title": "Health",
            "report": import_string(settings.STAFF_HEALTH)(),
            "standings": queries.standings(),
        }
        request.current_app = self.name
        return render(request, "staff/health.html", context)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """By mail, as for everybody: that ends sessions everywhere, and is recorded."""
        form = Form(request.POST if request.method == "POST" else None)
        if form.is_valid():
            person = cast(User, request.user)
            passwords.ask_for_reset(email=person.email, address=origin.of(request))
            return HttpResponseRedirect(reverse("admin:password_change_done"))
        return self._page(request, form, "Mail me a link")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return self._page(request, None, "The mail is on its way")

    def _page(self, request: HttpRequest, form: Any, title: str, **shown: Any) -> HttpResponse:
        context = {**self.each_context(request), "form": form, "title": title, **shown}
        request.current_app = self.name
        return render(request, "staff/door.html", context)


@contextmanager
def _told(form: Form) -> Iterator[None]:
    """Says a domain error at the form."""
    try:
        yield
    except DomainError as fault:
        form.add_error(None, fault.detail)


def _next(request: HttpRequest) -> str:
    """Where the person wanted to go, if that is here."""
    wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if safe else reverse("admin:index")
