"""What rooms above this one tell the staff: settings name who knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string


def platform_health() -> Any:
    """What the platform stands on, and whether it answers."""
    return import_string(settings.STAFF_HEALTH)()


def last_backups(tenant_ids: Iterable[UUID]) -> Mapping[UUID, datetime]:
    """When each was last backed up; those that never were are left out."""
    found: Mapping[UUID, datetime] = import_string(settings.STAFF_LAST_BACKUPS)(tenant_ids)
    return found
