"""The staff's site: password and second factor, then the places that there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.mfa import actions as mfa
from accounts.mfa.errors import AlreadyEnrolled
from accounts.passwords import actions as passwords
from accounts.staff import actions as staff
from accounts.staff import elsewhere, queries
from accounts.staff.forms import CodeForm, PasswordForm
from accounts.staff.pages import person as member
from accounts.staff.pages import told
from accounts.users.models import User
from tenants import origin
from tenants.fleet import standing

VERIFIED = "second_factor_shown"  # in the session, after the code
ADD = "add"  # the button of who has no second factor


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the sidebar; `icon` is a symbol of staff/icons.html."""

    label: str
    route: str
    icon: str
    is_here: bool = False

    @property
    def url(self) -> str:
        return reverse(self.route)


_PLACES = (
    ("Overview", "admin:index", "overview"),
    ("Tenants", "admin:tenants_tenant_changelist", "tenants"),
    ("Plans", "admin:tenants_plan_changelist", "plans"),
    ("Fleet", "admin:fleet", "fleet"),
    ("Support sessions", "admin:accounts_supportsession_changelist", "support"),
    ("Trail", "admin:accounts_platformevent_changelist", "trail"),
    ("Health", "admin:health", "health"),
)


class StaffSite(admin.AdminSite):
    """Django's admin, for staff who have shown both factors."""

    site_header = site_title = "Bulkhead"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        is_staff = bool(request.user.is_active and request.user.is_staff)
        return is_staff and bool(request.session.get(VERIFIED))

    def get_urls(self) -> list[Any]:
        return [
            path("code/", self.code, name="code"),
            path("health/", self.admin_view(self.health), name="health"),
            path("fleet/", self.admin_view(self.fleet), name="fleet"),
            *super().get_urls(),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """With the places, of which the longest address that leads here is where one is."""
        context = super().each_context(request)
        if context["has_permission"]:
            context["places"] = _places(request.path)
        return context

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
        with told(form):
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
        with told(form):
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

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """What needs somebody, what is under way, what has been done."""
        return self._shown(
            request,
            "staff/overview.html",
            title="Overview",
            report=elsewhere.platform_health(),
            standings=queries.standings(),
            concerns=queries.concerns(now=timezone.now()),
            under_way=queries.under_way(),
            events=queries.lately(),
        )

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        """Rooms are no places of the staff's."""
        return HttpResponseRedirect(reverse("admin:index"))

    def fleet(self, request: HttpRequest) -> HttpResponse:
        """Where tenants live, whose tables lack migrations, and who has been moved."""
        return self._shown(
            request,
            "staff/fleet.html",
            title="Fleet",
            placements=queries.placements(),
            schemas=standing.seen(),
            moves=queries.last_moves(),
        )

    def health(self, request: HttpRequest) -> HttpResponse:
        """Whether what the platform stands on answers, and how many tenants it carries."""
        return self._shown(
            request,
            "staff/health.html",
            title="Health",
            report=elsewhere.platform_health(),
            server=elsewhere.server_backups(),
            standings=queries.standings(),
        )

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """By mail, as for everybody: that ends sessions everywhere, and is recorded."""
        form = Form(request.POST if request.method == "POST" else None)
        if form.is_valid():
            person = member(request)
            passwords.ask_for_reset(email=person.email, address=origin.of(request))
            return HttpResponseRedirect(reverse("admin:password_change_done"))
        return self._page(request, form, "Mail me a link")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return self._page(request, None, "The mail is on its way")

    def _page(self, request: HttpRequest, form: Any, title: str, **shown: Any) -> HttpResponse:
        return self._shown(request, "staff/door.html", form=form, title=title, **shown)

    def _shown(self, request: HttpRequest, template: str, **shown: Any) -> HttpResponse:
        request.current_app = self.name
        return render(request, template, {**self.each_context(request), **shown})


def _places(path: str) -> list[Place]:
    places = [Place(*known) for known in _PLACES]
    here = max((place for place in places if path.startswith(place.url)), key=lambda p: len(p.url))
    return [replace(place, is_here=place == here) for place in places]


def _next(request: HttpRequest) -> str:
    """Where the person wanted to go, if that is here."""
    wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if safe else reverse("admin:index")
