"""What makes a model tenant-owned: its key, its tenant, its walls. Nobody can forget one.

`TenantOwned` rows are seen by everyone in the tenant, `UserOwned` rows by their owner and by scope
`tenant`. The metaclass adds the walls, so a model cannot be declared without them.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from django.apps import apps
from django.db import models
from django.db.models.base import ModelBase
from django.db.models.expressions import Func

from tenants.constraints import TenantReference, TenantWall
from tenants.identifiers import new_id


class TenantModelBase(ModelBase):
    """Adds to each concrete model: its wall, and a composite key for each tenant reference."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any], **kwargs: Any
    ) -> TenantModelBase:
        meta = attrs.get("Meta")
        if any(isinstance(base, TenantModelBase) for base in bases) and not getattr(
            meta, "abstract", False
        ):
            attrs["Meta"] = _walled_meta(name, bases, attrs, meta)
        return cast(TenantModelBase, super().__new__(cls, name, bases, attrs, **kwargs))


def _walled_meta(
    name: str, bases: tuple[type, ...], attrs: dict[str, Any], meta: type | None
) -> type:
    """The model's Meta with the walls in front of its own constraints."""
    table = f"{attrs['__module__'].partition('.')[0]}_{name.lower()}"
    inherited = {
        name: next((getattr(base, name) for base in bases if hasattr(base, name)), None)
        for name in ("owner_column", "append_only", "is_deletable")
    }
    owner_column = attrs.get("owner_column", inherited["owner_column"])
    walls: list[models.BaseConstraint] = [
        TenantWall(
            name=f"{table}_wall",
            owner_column=owner_column,
            append_only=bool(attrs.get("append_only", inherited["append_only"])),
            is_deletable=bool(attrs.get("is_deletable", inherited["is_deletable"])),
        )
    ]
    sameness = "same_owner" if owner_column else "same_tenant"
    walls += [
        TenantReference(name=f"{table}_{key}_{sameness}", field=key, owner_column=owner_column)
        for key, field in attrs.items()
        if isinstance(field, TenantForeignKey)
    ]
    own = list(getattr(meta, "constraints", []))
    parents = (meta,) if meta else ()
    return type("Meta", parents, {"constraints": [*walls, *own]})


class TenantForeignKey(models.ForeignKey[Any, Any]):
    """A reference to a row of the same tenant, and between two people's rows of the same person.

    `TenantReference` is its constraint in the database; Django's own single-column constraint and
    index are left out, since every key starts with the tenant. What a person's row refers to needs
    a UniqueConstraint of `tenant_id`, `user_id` and `id`.
    """

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        super().__init__(to, on_delete, **{**kwargs, "db_constraint": False, "db_index": False})


class EnteredTenant(Func):
    """The tenant of the open transaction; NULL, which no tenant table takes, outside one."""

    template = "nullif(current_setting('app.current_tenant_id', true), '')::uuid"
    arity = 0


class TenantId(models.UUIDField):  # type: ignore[type-arg]  # generic in the stubs alone
    """The tenant of a row: set by the database from the context, never by Python or a client."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "editable": False, "db_default": EnteredTenant()})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"], kwargs["db_default"]
        return name, path, args, kwargs


class TenantOwned(models.Model, metaclass=TenantModelBase):
    """Abstract base of every row that belongs to a tenant."""

    append_only = False
    is_deletable = True
    owner_column: str | None = None

    # Django knows `id` as the key; in the database the primary key is (tenant_id, id).
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = TenantId()

    class Meta:
        abstract = True


class UserOwned(TenantOwned):
    """Abstract base of rows that one person of the tenant owns."""

    owner_column = "user_id"

    # No foreign key: one from every schema into a shared table makes that table the bottleneck.
    user_id = models.UUIDField(editable=False)

    class Meta:
        abstract = True


@cache
def tenant_models() -> tuple[type[TenantOwned], ...]:
    """Every tenant-owned model of the installation, from the app registry."""
    return tuple(model for model in apps.get_models() if issubclass(model, TenantOwned))


@cache
def tenant_tables() -> frozenset[str]:
    """The names of all tenant-owned tables."""
    return frozenset(model._meta.db_table for model in tenant_models())
