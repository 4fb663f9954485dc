"""Every column that holds text of a tenant or of a person, found by walking the models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import models

from tenants.constraints import SharedTable
from tenants.ownership import TenantOwned, tenant_models

_TEXTS = (models.CharField, models.TextField, models.JSONField)
# The market and the plans, which are the same for all, and what holds nobody's data.
_NOBODYS = ("everywhere", "unwalled")

# Columns without a canary, each with its reason.
_SYMBOL = "a symbol of the market, which lists it for all; worth is reckoned with none that is not"
CLOSED = {
    "trading.Order.instrument": _SYMBOL,
    "trading.Fill.instrument": _SYMBOL,
    "trading.Position.instrument": _SYMBOL,
    "accounts.TenantPolicy.time_zone": "a name of the IANA's, and checked to be one",
    "tenants.Tenant.schema_name": "made of the tenant's id, by a constraint",
    "tenants.TenantMove.steps": "phases, seconds and counts of a move",
    "tenants.TenantMove.error": "a code and a sentence of ours",
    "tenants.TenantMove.by": "an actor's name, made of ids and words of ours",
    "tenants.TenantMove.given_up_by": "an actor's name, made of ids and words of ours",
    "tenants.TenantStep.name": "one of the settings",
    "tenants.TenantStep.error": "a code and a sentence of ours",
    "accounts.User.password": "a hash",
    "backups.Backup.asked_by": "an actor's name, made of ids and words of ours",
    "backups.Backup.sha256": "a digest",
    "backups.Restoration.step": "a step's name and counts",
    "accounts.ApiKey.prefix": "the beginning of a secret drawn by chance",
    "accounts.ApiKey.addresses": "networks as Python writes them, and no other text is taken",
}


@dataclass(frozen=True)
class Column:
    """A column of text; one whose field names its values (`choices`) holds none of anybody's."""

    model: type[models.Model]
    name: str

    @property
    def label(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    def table(self, schema: str) -> str:
        """Where it stands for a tenant whose own rows are in `schema`."""
        home = schema if issubclass(self.model, TenantOwned) else "public"
        return f'"{home}"."{self.model._meta.db_table}"'


def columns() -> list[Column]:
    return [
        Column(model, str(field.column))
        for model in (*tenant_models(), *_shared_models())
        for field in model._meta.concrete_fields
        if isinstance(field, _TEXTS) and not field.choices
    ]


def _shared_models() -> Iterator[type[models.Model]]:
    """Those that tell of tenants and people."""
    for model in apps.get_models():
        walls = [c for c in model._meta.constraints if isinstance(c, SharedTable)]
        if walls and walls[0].read not in _NOBODYS:
            yield model
