"""What may be asked about what tenants have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.files.storage import storages
from django.db import models
from django.db.models import Count, F, Func, Q, Sum

from tenants import context
from tenants.models import Tenant, TenantUsage
from tenants.ownership import TenantOwned, tenant_models

_EVERY = timedelta(hours=1)
_TURNS = 12  # of the timer in that time
_AT_LEAST = 100  # tenants a turn
_AT_A_TIME = 20_000  # rows that one statement reads
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of a tenant's own tables; bytes of them, without indexes, and of its files."""

    rows: int = 0
    bytes: int = 0

    def __add__(self, other: Held) -> Held:
        return Held(self.rows + other.rows, self.bytes + other.bytes)


@dataclass(frozen=True, slots=True)
class Left:
    """What is left to be counted of a table: the rows after one."""

    model: type[TenantOwned]
    after: UUID = _NOBODY


class _RowSize(Func):
    """Bytes of a whole row of the table that is asked, as it is stored but for long values."""

    output_field = models.BigIntegerField()
    arity = 0

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> Any:
        table = compiler.quote_name_unless_alias(compiler.query.get_initial_alias())
        return f"pg_column_size({table}.*)", []


def everything() -> tuple[Left, ...]:
    """All tables of tenants; alike on both tiers."""
    return tuple(Left(model) for model in tenant_models())


def files() -> Held:
    """What the entered tenant's files take."""
    return Held(0, storages["default"].held_bytes())  # type: ignore[attr-defined]  # tenants.files


def some(left: tuple[Left, ...]) -> tuple[Held, tuple[Left, ...]]:
    """What the entered tenant has in the first of these, until a table is cut short, and what is
    left then. No statement reads more than `_AT_A_TIME` rows: it ends before the plan's timeout,
    however much there is."""
    held = Held()
    while left:
        (first, *others), own = left, _own(left[0])
        sizes = own.annotate(size=_RowSize()).values("size")[:_AT_A_TIME]
        found = sizes.aggregate(rows=Count("*"), bytes=Sum("size"))
        held, left = held + Held(found["rows"], found["bytes"] or 0), tuple(others)
        if found["rows"] == _AT_A_TIME:
            last = own.values_list("id", flat=True)[_AT_A_TIME - 1 : _AT_A_TIME].first()
            return held, (replace(first, after=last), *left) if last else left
    return held, left


def _own(left: Left) -> models.QuerySet[Any]:
    mine = left.model._base_manager.filter(tenant_id=context.require().tenant_id)
    return mine.filter(id__gt=left.after).order_by("id")


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
