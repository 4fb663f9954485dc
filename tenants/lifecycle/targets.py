"""The migrations that a schema is to have: those of the code, each after what it depends on."""

from __future__ import annotations

from functools import cache

from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from tenants.identifiers import PUBLIC_SCHEMA

Key = tuple[str, str]


@cache
def loader() -> MigrationLoader:
    """The code's migrations, without a look at any database."""
    return MigrationLoader(None)


def of(schema: str) -> tuple[Key, ...]:
    return of_public() if schema == PUBLIC_SCHEMA else of_dedicated()


@cache
def of_public() -> tuple[Key, ...]:
    """All there are: shared tables stand in `public`, and those of tenants without a schema."""
    graph = loader().graph
    plans = (graph.forwards_plan(leaf) for leaf in graph.leaf_nodes())
    return tuple(dict.fromkeys(key for plan in plans for key in plan))


@cache
def of_dedicated() -> tuple[Key, ...]:
    """Those of the apps whose tables stand in every dedicated schema."""
    labels = tenant_labels()
    return tuple(key for key in of_public() if key[0] in labels)


def tenant_labels() -> set[str]:
    """Of the apps whose tables also stand in each dedicated schema."""
    return {app.label for app in apps.get_app_configs() if app.name in settings.TENANT_APPS}
