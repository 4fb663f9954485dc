"""What every model has to keep to, said of the code before any table is made. Pure of databases."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.conf import settings
from django.core.checks import Error
from django.db import models

from tenants.constraints import TenantReference, TenantWall
from tenants.ownership import TenantForeignKey, TenantOwned


def faults(closed: frozenset[str]) -> Iterator[Error]:
    """Faults of all models; `closed` are the tables of other packages that a migration walls."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield from faults_of(model, closed)


def faults_of(model: type[models.Model], closed: frozenset[str]) -> Iterator[Error]:
    """Faults of one model."""
    in_tenant_app = model._meta.app_config.name in settings.TENANT_APPS
    if issubclass(model, TenantOwned):
        if not in_tenant_app:
            yield _error(2, model, "Its app is not in TENANT_APPS: no dedicated schema gets it.")
        yield from _wall_faults(model)
        yield from _relation_faults(model)
        yield from _key_faults(model)
        return
    if in_tenant_app:
        yield _error(3, model, "Its app is in TENANT_APPS, so it has to inherit TenantOwned.")
    elif model._meta.db_table not in closed:
        yield _error(1, model, "It has no wall: inherit TenantOwned, or name a SharedTable.")
    for field in model._meta.local_fields:
        target = field.related_model
        if isinstance(target, type) and issubclass(target, TenantOwned):
            yield _error(8, model, f"{field.name} refers to rows of tenants; keep a plain UUID.")


def _wall_faults(model: type[TenantOwned]) -> Iterator[Error]:
    walls = [wall for wall in model._meta.constraints if isinstance(wall, TenantWall)]
    said = (model.owner_column, model.append_only)
    if [(wall.owner_column, wall.append_only) for wall in walls] != [said]:
        yield _error(4, model, "Its TenantWall does not say what owner_column and append_only do.")
    if model._meta.parents:
        yield _error(4, model, "It inherits from a model with a table; inherit an abstract one.")


def _relation_faults(model: type[TenantOwned]) -> Iterator[Error]:
    kept = {
        ref.field: ref.owner_column
        for ref in model._meta.constraints
        if isinstance(ref, TenantReference)
    }
    for field in model._meta.local_fields:
        if not isinstance(field, models.ForeignKey):
            continue
        if not isinstance(field, TenantForeignKey):
            yield _error(5, model, f"{field.name} has to be a TenantForeignKey or a plain UUID.")
        elif field.name not in kept:
            yield _error(5, model, f"{field.name} has no TenantReference: declare it in the model.")
        elif not issubclass(field.related_model, TenantOwned):
            yield _error(5, model, f"{field.name} leads out of the tenant; keep a plain UUID.")
        elif kept[field.name] != model.owner_column:
            yield _error(5, model, f"{field.name}'s TenantReference leaves its owner out.")
        elif model.owner_column and not _is_held_by_owner(field.related_model):
            yield _error(
                9,
                model,
                f"{field.name} refers to {field.related_model.__name__}, which has no"
                " UniqueConstraint of tenant_id, id and its owner: add one there.",
            )


def _is_held_by_owner(model: type[TenantOwned]) -> bool:
    """Whether a key can name a row of it together with its owner."""
    if not model.owner_column:
        return True  # everybody's in the tenant
    # The owner last: before the id it would look to the planner like a way to a person's rows.
    wanted = ("tenant_id", "id", model.owner_column)
    unique = (c for c in model._meta.constraints if isinstance(c, models.UniqueConstraint))
    return any(c.fields == wanted and c.condition is None for c in unique)


def _key_faults(model: type[TenantOwned]) -> Iterator[Error]:
    for field in model._meta.local_fields:
        if isinstance(field, models.AutoField):
            yield _error(7, model, f"{field.name} counts across tenants; use a UUID.")
        elif not field.primary_key and (field.unique or getattr(field, "db_index", False)):
            yield _error(6, model, f"{field.name} is indexed without tenant_id in front.")
    for name, first in _leading_fields(model):
        if first != "tenant_id":
            yield _error(6, model, f"{name} has to start with tenant_id.")


def _leading_fields(model: type[models.Model]) -> Iterator[tuple[str, str]]:
    """Every index and uniqueness that names fields, with the first of them."""
    for index in model._meta.indexes:
        yield index.name, index.fields_orders[0][0] if index.fields else ""
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            yield constraint.name, constraint.fields[0] if constraint.fields else ""
    for together in model._meta.unique_together:
        yield "unique_together", together[0]


def _error(number: int, model: type[models.Model], words: str) -> Error:
    return Error(f"{model._meta.label}: {words}", obj=model, id=f"tenants.E{number:03}")
