"""System checks: what is said of models and settings before there is a database."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from django.conf import settings
from django.db import connections, models
from django.test import override_settings
from django.test.utils import isolate_apps

from tenants import checks, model_rules
from tenants.constraints import SharedTable, TenantReference
from tenants.ownership import TenantForeignKey, TenantOwned, UserOwned
from trading.brokers.models import Account


def codes(found: Any) -> list[str]:
    return [error.id for error in found]


def test_the_code_as_it_is_has_no_fault() -> None:
    assert checks.check_models() == []
    assert checks.check_settings() == []


@isolate_apps("accounts")
def test_a_shared_model_needs_a_wall() -> None:
    class Bare(models.Model):
        class Meta:
            app_label = "accounts"

    class Walled(models.Model):
        class Meta:
            app_label = "accounts"
            constraints = [SharedTable(name="walled", read="platform")]

    assert codes(model_rules.faults_of(Bare, frozenset())) == ["tenants.E001"]
    assert codes(model_rules.faults_of(Walled, frozenset({"accounts_walled"}))) == []


@isolate_apps("accounts", "trading")
def test_models_are_in_the_apps_of_their_kind() -> None:
    class Astray(TenantOwned):
        class Meta:
            app_label = "accounts"

    class Common(models.Model):
        class Meta:
            app_label = "trading"

    assert codes(model_rules.faults_of(Astray, frozenset())) == ["tenants.E002"]
    assert codes(model_rules.faults_of(Common, frozenset())) == ["tenants.E003"]


@isolate_apps("trading")
def test_a_wall_says_what_the_model_says() -> None:
    class Journal(UserOwned):
        append_only = True

        class Meta:
            abstract = True
            app_label = "trading"

    class Note(Journal):
        class Meta:
            app_label = "trading"

    assert codes(model_rules.faults_of(Note, frozenset())) == []
    Note.append_only = False
    assert codes(model_rules.faults_of(Note, frozenset())) == ["tenants.E004"]


@isolate_apps("trading")
def test_relations_stay_in_the_tenant() -> None:
    class OfAccount(models.Model):
        account = TenantForeignKey(Account, related_name="+")

        class Meta:
            abstract = True

    class Plain(TenantOwned):
        account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)

        class Meta:
            app_label = "trading"

    class Inherited(OfAccount, TenantOwned):
        class Meta:
            app_label = "trading"

    assert codes(model_rules.faults_of(Plain, frozenset())) == ["tenants.E005"]
    assert codes(model_rules.faults_of(Inherited, frozenset())) == ["tenants.E005"]


@isolate_apps("trading")
def test_references_between_peoples_rows_name_the_owner() -> None:
    class Shelf(UserOwned):
        class Meta:
            app_label = "trading"

    class Book(UserOwned):
        shelf = TenantForeignKey(Shelf, related_name="+")

        class Meta:
            app_label = "trading"

    assert codes(model_rules.faults_of(Book, frozenset())) == ["tenants.E009"]
    whole = models.UniqueConstraint(fields=["tenant_id", "id", "user_id"], name="of_its_owner")
    Shelf._meta.constraints.append(whole)
    assert codes(model_rules.faults_of(Book, frozenset())) == []
    Book._meta.constraints = [
        TenantReference(name=rule.name, field=rule.field)
        if isinstance(rule, TenantReference)
        else rule
        for rule in Book._meta.constraints
    ]
    assert codes(model_rules.faults_of(Book, frozenset())) == ["tenants.E005"]


@isolate_apps("trading")
def test_keys_start_with_the_tenant() -> None:
    class Keyed(TenantOwned):
        name = models.CharField(max_length=9, unique=True)

        class Meta:
            app_label = "trading"
            indexes = [models.Index(fields=["name"], name="by_name")]
            constraints = [models.UniqueConstraint(fields=["name", "tenant_id"], name="one_name")]
            unique_together = [("name", "id")]

    assert codes(model_rules.faults_of(Keyed, frozenset())) == ["tenants.E006"] * 4


@isolate_apps("accounts")
def test_nothing_shared_refers_to_tenants() -> None:
    class Watcher(models.Model):
        account = models.ForeignKey(Account, models.CASCADE, related_name="+")

        class Meta:
            app_label = "accounts"
            constraints = [SharedTable(name="watcher", read="platform")]

    assert codes(model_rules.faults_of(Watcher, frozenset({"accounts_watcher"}))) == [
        "tenants.E008"
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ENGINE": "django.db.backends.postgresql"}, "tenants.E010"),
        ({"OPTIONS": {"server_side_binding": False}}, "tenants.E011"),
        ({"OPTIONS": {"server_side_binding": True, "prepare_threshold": 5}}, "tenants.E012"),
        ({"OPTIONS": {"server_side_binding": True, "options": "-c a=b"}}, "tenants.E013"),
        ({"OPTIONS": {"server_side_binding": True, "assume_role": "x"}}, "tenants.E014"),
        ({"CONN_MAX_AGE": 60}, "tenants.E015"),
        ({"ATOMIC_REQUESTS": True}, "tenants.E016"),
        ({"TIME_ZONE": "Europe/Vienna"}, "tenants.E017"),
    ],
)
def test_the_connection_is_as_the_walls_need_it(change: dict[str, Any], code: str) -> None:
    database = {**deepcopy(connections["default"].settings_dict), **change}
    assert codes(checks.database_faults(database)) == [code]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"TENANT_APPS": ["trading", "elsewhere"]}, "tenants.E020"),
        (
            {"SHARED_APPS": ["django_tenants", "tenants", "trading", "accounts.audit"]},
            "tenants.E021",
        ),
        ({"DATABASE_ROUTERS": []}, "tenants.E022"),
        ({"REGIONS": {"default": "default", "eu": "europe"}}, "tenants.E026"),
        ({"REGIONS": {"eu": "default"}}, "tenants.E027"),
        ({"CACHES": {"default": {"BACKEND": "x"}}}, "tenants.E023"),
        (
            {"MIDDLEWARE": ["django.middleware.cache.FetchFromCacheMiddleware"]},
            "tenants.E024",
        ),
        ({"TENANT_TICKET_SECRET": b"short"}, "tenants.E025"),
        ({"TENANT_TICKET_SECRET": "x" * 64}, "tenants.E025"),
    ],
)
def test_settings_are_as_the_walls_need_them(changes: dict[str, Any], code: str) -> None:
    with override_settings(**changes):
        assert codes(checks.check_settings()) == [code]


def test_the_catalogue_is_read_only_on_demand() -> None:
    assert checks.check_catalogue(databases=None) == []
    assert settings.DATABASES["default"]["ENGINE"] == "tenants.backend"
