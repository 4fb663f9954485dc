"""What may be asked about what tenants have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.files.storage import storages
from django.db import models
from django.db.models import Count, F, Func, Q, Sum

from tenants import context
from tenants.models import Tenant, TenantUsage
from tenants.ownership import tenant_models

_EVERY = timedelta(hours=1)
_TURNS = 12  # of the timer in that time
_AT_LEAST = 100  # tenants a turn


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of a tenant's own tables; bytes of them, without indexes, and of its files."""

    rows: int
    bytes: int


class _RowSize(Func):
    """Bytes of a whole row of the table that is asked, as it is stored but for long values."""

    output_field = models.BigIntegerField()
    arity = 0

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> Any:
        table = compiler.quote_name_unless_alias(compiler.query.get_initial_alias())
        return f"pg_column_size({table}.*)", []


def held() -> Held:
    """What the entered tenant has, table by table; alike on both tiers."""
    tenant_id = context.require().tenant_id
    rows, size = 0, storages["default"].held_bytes()  # type: ignore[attr-defined]  # tenants.files
    for model in tenant_models():
        own = model._base_manager.filter(tenant_id=tenant_id)
        found = own.aggregate(rows=Count("*"), bytes=Sum(_RowSize()))
        rows += found["rows"]
        size += found["bytes"] or 0
    return Held(rows, size)


def is_due(tenant_id: UUID, *, now: datetime) -> bool:
    """Whether the last count is old enough, or there is none."""
    lately = TenantUsage.objects.filter(tenant_id=tenant_id, counted_at__gt=now - _EVERY)
    return not lately.exists()


def due(*, now: datetime) -> list[UUID]:
    """Tenants to be counted in this turn of the timer: a part, who has waited longest first."""
    active = Tenant.objects.filter(status=Tenant.Status.ACTIVE)
    a_turn = max(_AT_LEAST, active.count() // _TURNS + 1)
    last = F("measured__counted_at")
    waiting = active.filter(Q(measured=None) | Q(measured__counted_at__lte=now - _EVERY))
    ordered = waiting.order_by(last.asc(nulls_first=True), "id")
    return list(ordered.values_list("id", flat=True)[:a_turn])
