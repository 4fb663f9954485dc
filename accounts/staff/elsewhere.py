"""What rooms above this one tell the staff, where they are there: settings name who knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Schema:
    """A tenant's schema in the ledger of migrations: how many it lacks, and what went wrong."""

    slug: str
    tenant_id: UUID
    lacks: int
    error: str
    tried_at: datetime | None


def platform_health() -> Any:
    """What the platform stands on, and whether it answers."""
    return import_string(settings.STAFF_HEALTH)()


def last_backups(tenant_ids: Iterable[UUID]) -> Mapping[UUID, datetime] | None:
    """When each was last backed up; None where nobody takes backups."""
    know = _known(settings.STAFF_LAST_BACKUPS)
    return None if know is None else know(list(tenant_ids))


def fleet() -> list[Schema] | None:
    """Schemas that lack migrations or could not be given one; None where nobody keeps a ledger."""
    know = _known(settings.STAFF_FLEET)
    return None if know is None else know()


def _known(path: str) -> Callable[..., Any] | None:
    return import_string(path) if path else None
