"""What lists can be asked for, read off their views: filters, orderings, and what is neither."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from django.db import models
from django_filters.rest_framework import DjangoFilterBackend
from psycopg import sql

from tenants.ownership import TenantOwned
from tenants.viewsets import SealedViewSet
from tests.guards.routes import Route
from tests.isolation.database import connected
from tests.isolation.surface import read
from tests.isolation.world import Trader, new_canary

_MOST = 4  # values of a column
_LOOKUPS = ("contains", "icontains", "startswith", "gt", "isnull", "in", "regex")


@dataclass(frozen=True)
class Question:
    """A query with a value of somebody's row; `twin` is the same with a value that nobody has."""

    name: str
    value: str
    twin: str | None

    @property
    def query(self) -> str:
        return f"{self.name}={quote(self.value, safe='')}"

    @property
    def twin_query(self) -> str:
        return f"{self.name}={quote(self.twin or '', safe='')}"


@dataclass(frozen=True)
class Listing:
    """A route that shows rows of one model, and lets some be chosen and ordered."""

    route: Route

    @property
    def view(self) -> Any:
        """As the route makes it: an action brings its own serializer and filters."""
        action = self.route.actions["get"]
        view = self.route.view(**getattr(getattr(self.route.view, action), "kwargs", {}))
        view.action = action
        return view

    @property
    def model(self) -> type[models.Model]:
        """Of the rows, which is not that of the path where they stand below another."""
        shown = getattr(self.view.serializer_class, "Meta", None)
        model: type[models.Model] = shown.model if shown else self.view.model
        return model

    @property
    def orderings(self) -> tuple[str, ...]:
        return tuple(getattr(self.view, "ordering_fields", ()))

    def filters(self) -> dict[str, Any]:
        chosen = DjangoFilterBackend().get_filterset_class(
            self.view, self.model._default_manager.none() if self._names_fields else None
        )
        return dict(chosen.base_filters) if chosen else {}

    @property
    def _names_fields(self) -> bool:
        return getattr(self.view, "filterset_class", None) is None

    def questions(self, owner: Trader) -> Iterator[Question]:
        """Each filter with the values that the owner's rows have there."""
        for name, each in self.filters().items():
            if each.lookup_expr == "isnull":
                yield from (Question(name, value, None) for value in ("true", "false"))
            elif each.lookup_expr == "range":
                for value in _values(self.model, each.field_name, owner):
                    yield from (
                        Question(f"{name}_{end}", value, None) for end in ("after", "before")
                    )
            else:
                for value in _values(self.model, each.field_name, owner):
                    yield Question(name, value, _twin(value, owner))

    def not_offered(self, owner: Trader) -> Iterator[str]:
        """Queries by every column that is no filter and by a lookup of it, and across relations."""
        offered, lookups = self.filters(), cycle(_LOOKUPS)
        for path, model, column in _reachable(self.model):
            for value in _values(model, column, owner)[:1]:
                for name in (path, f"{path}__{next(lookups)}"):
                    if name not in offered:
                        yield f"{name}={quote(value, safe='')}"

    def orderings_not_offered(self) -> list[str]:
        names = [path for path, _, _ in _reachable(self.model)]
        return [name for name in names if name not in self.orderings]


def listings() -> list[Listing]:
    """All that filter or order rows of tenants."""
    return [
        Listing(route)
        for route in read()
        if issubclass(route.view, SealedViewSet)
        and route.actions["get"] != "retrieve"
        and Listing(route).view.filter_backends
    ]


def _reachable(model: type[models.Model]) -> Iterator[tuple[str, type[models.Model], str]]:
    """Columns of a model and of those that it refers to or that refer to it, by their paths."""
    for field in model._meta.get_fields():
        if isinstance(field, models.Field):
            yield field.attname, model, field.name
        target = field.related_model
        if isinstance(target, type) and issubclass(target, TenantOwned):
            for column in target._meta.concrete_fields:
                yield f"{field.name}__{column.attname}", target, column.name


def _values(model: type[models.Model], name: str, owner: Trader) -> list[str]:
    """Of the owner's rows, as a client writes them; those with a canary first."""
    schema = owner.person.tenant.live_schema if issubclass(model, TenantOwned) else "public"
    rows = _rows(schema, model, owner.person.tenant.id, owner.person.user_id)
    found = {_written(row[name]) for row in rows if row[name] is not None}
    return sorted(found, key=lambda value: (owner.canary not in value, value))[:_MOST]


@cache
def _rows(
    schema: str, model: type[models.Model], tenant_id: UUID, user_id: UUID
) -> list[dict[str, Any]]:
    """What a person has of a model, or their tenant where nobody owns it, by names of fields."""
    fields = model._meta.concrete_fields
    whose = sql.SQL("tenant_id = {}").format(sql.Literal(tenant_id))
    if "user_id" in {field.column for field in fields}:
        whose = sql.SQL("{} AND user_id = {}").format(whose, sql.Literal(user_id))
    query = sql.SQL("SELECT {} FROM {} WHERE {}").format(
        sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields),
        sql.Identifier(schema, model._meta.db_table),
        whose,
    )
    with connected("DATABASE_SUPERUSER_URL") as database:
        rows = database.execute(query).fetchall()
    return [dict(zip((field.name for field in fields), row, strict=True)) for row in rows]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _twin(value: str, owner: Trader) -> str | None:
    """A value of the same kind that nobody has; None for one that many have."""
    try:
        UUID(value)
    except ValueError:
        for mark in owner.marks:
            if mark in value:
                return value.replace(mark, new_canary())
        return None
    return str(uuid4())
