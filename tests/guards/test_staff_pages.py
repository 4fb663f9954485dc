"""No page, form or list of the staff's site can reach a tenant's rows, in either tier."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from django import forms
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

import accounts.staff
from accounts.audit.models import AuditEvent, AuditHead, AuditLink
from accounts.staff import changes
from accounts.support.models import SupportSession
from accounts.trail.models import PlatformEvent
from accounts.users.models import User
from tenants.errors import NoTenantContext
from tenants.models import Plan, Tenant
from tenants.ownership import TenantOwned, tenant_models
from tests.accounts.test_staff import logged_in, staff
from tests.attacks.outside import pages
from tests.cast import House
from trading.models import Order

# What is done to a tenant is also written into its own trail, inside of it, by the room that does
# it; nothing of that is read by the staff's pages.
_OWN_TRAIL = {model._meta.db_table for model in (AuditEvent, AuditLink, AuditHead)}


@pytest.fixture(scope="module")
def person() -> User:
    return staff()


@pytest.fixture(scope="module")
def client(person: User) -> Client:
    return logged_in(person)


def tables_in(captured: CaptureQueriesContext) -> set[str]:
    """Tenants' tables that a statement names, in whichever schema."""
    asked = " ".join(query["sql"] for query in captured.captured_queries)
    return {
        m._meta.db_table for m in tenant_models() if re.search(rf"\b{m._meta.db_table}\b", asked)
    }


def addresses(house: House) -> Iterator[str]:
    """Every page of the site, about what is there."""
    tenant = house.tenant.pk
    there = {
        "tenants/tenant": str(tenant),
        "tenants/plan": str(house.tenant.plan_id),
        "accounts/platformevent": str(PlatformEvent.objects.values_list("pk", flat=True)[0]),
        "accounts/supportsession": str(_support(house)),
    }
    for page in pages():
        if page.path.startswith("/admin/"):
            kind = "/".join(page.path.split("/")[2:4])
            yield page.example(there.get(kind, str(uuid4())))
    for change in changes.CHANGES:
        yield f"/admin/tenants/tenant/{tenant}/do/{change.code}/"
    yield f"/admin/tenants/tenant/?q={house.tenant.slug}&status__exact=active&o=7"


def _support(house: House) -> Any:
    asked = {"tenant": str(house.tenant.pk), "reason": "a look"}
    logged_in(staff()).post("/admin/accounts/supportsession/add/", asked)
    return SupportSession.objects.filter(tenant=house.tenant).values_list("pk", flat=True)[0]


def test_no_page_asks_for_a_row_of_a_tenants_tables(client: Client, house: House) -> None:
    house.alice.post("accounts/", {"name": "hers"})
    seen = []
    for path in addresses(house):
        with CaptureQueriesContext(connection) as captured:
            seen.append(client.get(path).status_code)
        assert tables_in(captured) == set(), path
    assert seen.count(200) > 20


def test_no_button_reaches_more_of_a_tenant_than_its_own_trail(
    client: Client, house: House
) -> None:
    at = f"/admin/tenants/tenant/{house.tenant.pk}/do/"
    given = {"reason": "unpaid", "slug": house.tenant.slug, "otp": "000000"}
    other = {"starter": "pro", "enterprise": "enterprise"}[house.tier]
    elsewhere = {"starter": "enterprise", "enterprise": "starter"}[house.tier]
    plans = {"plan": other, "graduate": elsewhere, "demote": elsewhere}
    for code in ("plan", "suspend", "resume", "delete", "graduate", "demote", "go-on", "give-up"):
        with CaptureQueriesContext(connection) as captured:
            client.post(f"{at}{code}/", {**given, "plan": plans.get(code, "")})
        assert tables_in(captured) <= _OWN_TRAIL, code
    assert Tenant.objects.get(pk=house.tenant.pk).moves.exists()


def test_the_guard_sees_a_tenants_table(house: House) -> None:
    with house.alice.inside(), CaptureQueriesContext(connection) as captured:
        list(Order.objects.all())
    assert tables_in(captured) == {Order._meta.db_table}


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
def test_no_list_stands_on_a_tenants_rows_or_leads_to_them(model: type[models.Model]) -> None:
    page: Any = admin.site._registry[model]
    related = {field.related_model for field in model._meta.get_fields() if field.related_model}
    named = {*page.autocomplete_fields, *page.raw_id_fields}
    assert not issubclass(model, TenantOwned)
    assert not [other for other in related if issubclass(other, TenantOwned)]
    assert (list(page.inlines), named) == ([], set())


def rooms() -> list[ModuleType]:
    found = pkgutil.iter_modules(accounts.staff.__path__, "accounts.staff.")
    return [importlib.import_module(module.name) for module in found]


def own_forms() -> set[type[forms.BaseForm]]:
    values = (value for room in rooms() for value in vars(room).values() if inspect.isclass(value))
    return {
        v for v in values if issubclass(v, forms.BaseForm) and v.__module__.startswith("accounts")
    }


@pytest.mark.parametrize("form", sorted(own_forms(), key=str), ids=lambda form: form.__name__)
def test_no_form_offers_a_tenants_rows(form: Any) -> None:
    for field in form.base_fields.values():
        if isinstance(field, forms.ModelChoiceField):
            assert not issubclass(field.queryset.model, TenantOwned)
    about = getattr(getattr(form, "_meta", None), "model", None)
    assert about is None or not issubclass(about, TenantOwned)


def test_all_forms_are_found() -> None:
    assert {change.form for change in changes.CHANGES} <= own_forms()
    assert len(own_forms()) > 6


def test_a_page_that_stood_on_a_tenants_rows_would_break(client: Client, rf: Any) -> None:
    """The ORM asks for no such row on the platform, whoever wrote the page."""
    page = ModelAdmin(Order, admin.site)
    request = rf.get("/admin/")
    with pytest.raises(NoTenantContext):
        list(page.get_queryset(request))
    offered = forms.ModelChoiceField(queryset=Order._default_manager.all())
    with pytest.raises(NoTenantContext):
        offered.widget.render("order", None)
    assert Plan.objects.exists()
