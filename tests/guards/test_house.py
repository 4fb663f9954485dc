"""Guards that walk the house, and so hold for code not yet written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from celery import Task
from django.apps import apps
from django.conf import settings
from django.db import models
from rest_framework.permissions import AllowAny

from accounts.access.permissions import Denied, Trading
from accounts.tokens.models import ApiKey
from config.celery import application
from tenants.constraints import SharedTable, TenantReference, TenantWall
from tenants.ownership import TenantForeignKey, TenantOwned, tenant_models
from tenants.tasks import PlatformTask, TenantTask
from tenants.viewsets import SealedViewSet, SharedRowsViewSet, TenantViewSet
from tests.guards.routes import Route, api_routes
from trading import models as trading_models
from trading.orders.api import OrderOut

ROOT = Path(__file__).resolve().parents[2]

# Models that belong to no tenant, each with its reason.
SHARED = {
    "tenants.Plan": "what can be bought",
    "tenants.Tenant": "who the customers are; inside a tenant only itself",
    "tenants.Domain": "which host leads where",
    "tenants.TenantMove": "begun and finished by the platform; closed inside tenants",
    "tenants.TenantUsage": "counted by the platform; inside a tenant its own",
    "tenants.TenantWorkflow": "begun and finished by the platform; closed inside tenants",
    "tenants.TenantStep": "a step of those; closed inside tenants",
    "tenants.EmergencyLock": "set and lifted by the platform; closed inside tenants",
    "accounts.User": "people may belong to several tenants; closed inside tenants",
    "accounts.Membership": "read before a tenant is known; inside a tenant only its own",
    "accounts.TenantPolicy": "read at log-in; inside a tenant only its own",
    "accounts.Invitation": "accepted before the person belongs to the tenant; inside it its own",
    "accounts.Session": "ended across tenants when a password changes; inside one its own",
    "accounts.RefreshToken": "used before a tenant is known; inside one its own",
    "accounts.ApiKey": "looked up before a tenant is known; inside one its own",
    "accounts.Authenticator": "of a person, whatever the tenant; closed inside tenants",
    "accounts.RecoveryCode": "of a person, whatever the tenant; closed inside tenants",
    "accounts.SupportSession": "asked for on the platform; inside a tenant its own",
    "accounts.PlatformEvent": "what was done outside every tenant; closed inside them",
    "accounts.PlatformLink": "the chain over those events; closed inside tenants",
    "accounts.PlatformHead": "the end of that chain; closed inside tenants",
    "backups.Backup": "outlives its tenant; inside one its own, for those in charge",
    "backups.Restoration": "noted while rows are exchanged; inside a tenant its own, as above",
    "market.Instrument": "the market is the same for all",
    "market.Candle": "the market is the same for all",
    "market.CandleLoad": "candles on their way by COPY; holds nobody's data",
    "market.Tick": "the market is the same for all",
    "market.TickLoad": "ticks on their way by COPY; holds nobody's data",
}
# Views that anyone may call, each with its reason.
OPEN_VIEWS = {
    "LoginView": "who logs in has no credential yet",
    "RefreshView": "the refresh token is the credential",
    "SignUpView": "who signs up has no credential yet",
    "InvitationAcceptView": "the invitation's signature is the credential, with the person's own",
    "PasswordResetView": "who has forgotten the password has no credential",
    "PasswordResetConfirmView": "the mail's token is the credential",
    "DescriptionView": "the API's description is the same for all",
    "SpectacularSwaggerSplitView": "the API's description is the same for all",
}
# POSTs over tenants' rows that a full tenant may still ask, each with its reason.
WORKS_WHEN_FULL = {
    "AccountViewSet.withdraw": "takes money out",
    "NotificationViewSet.read": "marks what is there",
    "NotificationViewSet.read_all": "marks what is there",
    "OrderViewSet.cancel_all": "cancels",
    "OrderViewSet.preview": "reads",
    "PositionOrdersViewSet.close": "closes",
    "ReconciliationViewSet.ask": "has the books put right",
}
OURS = {"tenants", "accounts", "audit", "backups", "market", "trading"}


def ours() -> list[type[models.Model]]:
    return [m for m in apps.get_models() if m._meta.app_label in OURS and not m._meta.auto_created]


def test_every_model_belongs_to_a_tenant_or_says_why_not() -> None:
    shared = {model._meta.label for model in ours() if not issubclass(model, TenantOwned)}
    assert shared == set(SHARED)


@pytest.mark.parametrize("label", sorted(SHARED))
def test_every_shared_model_says_who_may_read_it(label: str) -> None:
    walls = [c for c in apps.get_model(label)._meta.constraints if isinstance(c, SharedTable)]
    assert len(walls) == 1


@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model.__name__)
def test_every_tenant_model_carries_its_walls(model: type[TenantOwned]) -> None:
    walls = [c for c in model._meta.constraints if isinstance(c, TenantWall)]
    assert len(walls) == 1
    columns = {field.column for field in model._meta.local_fields}
    owners = columns & {"user_id", "actor_id"}
    assert {walls[0].owner_column} - {None} == owners
    named = {c.field for c in model._meta.constraints if isinstance(c, TenantReference)}
    relations = {f.name for f in model._meta.local_fields if isinstance(f, models.ForeignKey)}
    assert named == relations


@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model.__name__)
def test_every_reference_of_a_tenant_model_stays_inside_the_tenant(
    model: type[TenantOwned],
) -> None:
    for field in model._meta.local_fields:
        if isinstance(field, models.ForeignKey):
            assert isinstance(field, TenantForeignKey), field.name
            assert issubclass(field.related_model, TenantOwned), field.name


@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model.__name__)
def test_every_key_and_index_of_a_tenant_model_starts_with_the_tenant(
    model: type[TenantOwned],
) -> None:
    uniques = [c for c in model._meta.constraints if isinstance(c, models.UniqueConstraint)]
    for unique in uniques:
        assert unique.fields[0] == "tenant_id", unique.name
    for index in model._meta.indexes:
        assert index.fields[0] == "tenant_id", index.name
    assert not [f.name for f in model._meta.local_fields if f.unique and not f.primary_key]


def test_the_index_of_models_is_whole() -> None:
    known = {model.__name__ for model in apps.get_app_config("trading").get_models()}
    assert known == set(trading_models.__all__)


@pytest.mark.parametrize("route", api_routes(), ids=lambda route: route.name)
def test_every_route_declares_who_may_call_it(route: Route) -> None:
    declared = route.view.permission_classes
    assert declared
    assert Denied not in declared
    if AllowAny in declared:
        assert route.view.__name__ in OPEN_VIEWS


def test_no_reason_for_an_open_view_is_stale() -> None:
    assert {r.view.__name__ for r in api_routes() if AllowAny in r.view.permission_classes} == set(
        OPEN_VIEWS
    )


def posts() -> list[Route]:
    return [route for route in api_routes() if route.answers("post")]


def test_every_post_of_a_tenants_rows_is_refused_when_it_is_full_or_says_why_not() -> None:
    handlers = {
        f"{r.view.__name__}.{r.actions['post']}": getattr(r.view, r.actions["post"])
        for r in posts()
        if issubclass(r.view, TenantViewSet)
    }
    exempt = {name for name, post in handlers.items() if getattr(post, "works_when_full", False)}
    assert exempt == set(WORKS_WHEN_FULL)
    assert len(handlers) > len(exempt)


def test_a_patch_that_replaces_a_row_is_refused_when_the_tenant_is_full() -> None:
    """An order is never changed: another takes its place."""
    handlers = {
        f"{r.view.__name__}.{r.actions['patch']}": getattr(r.view, r.actions["patch"])
        for r in api_routes()
        if r.answers("patch") and getattr(r.view, "serializer_class", None) is OrderOut
    }
    assert len(handlers) == 2
    assert all(patch.makes_rows for patch in handlers.values())


@pytest.mark.parametrize("route", posts(), ids=lambda route: route.name)
def test_every_other_post_is_about_people(route: Route) -> None:
    is_peoples = route.name.startswith("api/v1/auth/") or issubclass(route.view, SharedRowsViewSet)
    assert is_peoples or issubclass(route.view, TenantViewSet)


@pytest.mark.parametrize("route", [r for r in api_routes() if r.is_detail], ids=lambda r: r.name)
def test_every_detail_route_stands_on_the_sealed_viewset(route: Route) -> None:
    assert issubclass(route.view, TenantViewSet | SharedRowsViewSet)


@pytest.mark.parametrize("name", ["get_queryset", "get_object", "queryset"])
def test_the_viewset_refuses_a_way_around_its_rows(name: str) -> None:
    around = {name: lambda _self: trading_models.Order.objects.all()}
    with pytest.raises(TypeError, match="narrow"):
        type("Leaky", (TenantViewSet,), {**around, "model": trading_models.Order})
    mixin = type("Mixin", (), around)
    with pytest.raises(TypeError, match="narrow"):
        type("Mixed", (mixin, TenantViewSet), {"model": trading_models.Order})


def test_the_viewset_refuses_to_be_open_by_omission() -> None:
    with pytest.raises(TypeError, match="permission_classes"):
        type("Open", (TenantViewSet,), {"model": trading_models.Order})


@pytest.mark.parametrize("name", ["get_queryset", "get_object", "queryset"])
def test_the_viewset_of_shared_rows_is_sealed_alike(name: str) -> None:
    around = {name: lambda _self: ApiKey.objects.all()}
    with pytest.raises(TypeError, match="narrow"):
        type("Leaky", (SharedRowsViewSet,), {**around, "model": ApiKey})


@pytest.mark.parametrize(
    ("base", "model"),
    [
        (TenantViewSet, ApiKey),
        (SharedRowsViewSet, trading_models.Order),
        (SharedRowsViewSet, apps.get_model("accounts.User")),
        (SharedRowsViewSet, apps.get_model("tenants.Plan")),
        (SealedViewSet, trading_models.Order),
    ],
)
def test_a_viewset_refuses_rows_that_it_cannot_tell_apart(
    base: type[SealedViewSet], model: type[models.Model]
) -> None:
    with pytest.raises(TypeError, match="model"):
        type("Other", (base,), {"model": model, "permission_classes": [Trading]})


def test_every_task_names_its_tenant_or_is_the_platforms() -> None:
    tasks = [t for name, t in application.tasks.items() if not name.startswith("celery.")]
    assert tasks
    for task in tasks:
        assert isinstance(task, TenantTask | PlatformTask), task.name


def test_a_task_declared_without_a_base_is_a_tenant_task() -> None:
    def plain() -> None:
        """Declares nothing."""

    task: Task = application.task(name="tests.plain")(plain)
    assert isinstance(task, TenantTask)
    application.tasks.pop("tests.plain")


def test_the_web_loads_no_client_of_any_exchange() -> None:
    """It is the worker's: half a second at each start, and as much memory as Django takes."""
    look = "import django, sys; django.setup(); import config.asgi, config.urls_platform"
    look += "; from config import urls; sys.exit('ccxt' in sys.modules)"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    subprocess.run([sys.executable, "-c", look], cwd=ROOT, env=environment, check=True)


def test_the_example_environment_lists_exactly_what_is_read() -> None:
    listed = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    sources = [*(ROOT / "config").rglob("*.py"), *(ROOT / "tenants").rglob("*.py")]
    sources += [*(ROOT / "trading").rglob("*.py"), *(ROOT / "accounts").rglob("*.py")]
    text = "".join(source.read_text() for source in sources)
    read = set(re.findall(r"(?:env\.\w+|_database)\(\s*\"([A-Z_]+)\"", text))
    assert read <= listed, read - listed
    assert not [name for name in listed if f'"{name}"' not in text]


def test_production_settings_are_safe_by_default() -> None:
    assert settings.DEBUG is False
    assert settings.DATABASES["default"]["ENGINE"] == "tenants.backend"
    assert settings.DATABASES["default"]["OPTIONS"]["server_side_binding"] is True
