"""What rooms above this one tell the staff: settings name who knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from tenants.valkey import ValkeyAway


def platform_health() -> Any:
    """What the platform stands on, and whether it answers."""
    return import_string(settings.STAFF_HEALTH)()


class Backups(Protocol):
    """How a tenant stands with them."""

    @property
    def taken_at(self) -> datetime:
        """The moment that the newest is of."""

    @property
    def tried_at(self) -> datetime | None:
        """When one was last put back to try it, and was whole."""

    @property
    def fault(self) -> str:
        """What was wrong with the one that was tried last."""

    @property
    def is_restored(self) -> bool:
        """Whether the tenant is being put back to one just now."""


def backups(tenant_ids: Iterable[UUID]) -> Mapping[UUID, Backups]:
    """Of each; those that were never backed up are left out."""
    found: Mapping[UUID, Backups] = import_string(settings.STAFF_BACKUPS)(tenant_ids)
    return found


class ServerBackups(Protocol):
    """How the whole server stands with its copies and its WAL."""

    @property
    def copied_at(self) -> datetime | None:
        """When the newest copy that is whole was begun."""

    @property
    def unfit(self) -> Mapping[str, str]:
        """Copies that cannot be read, by name in the storage: what is wrong with each."""

    @property
    def archived_at(self) -> datetime | None:
        """When it last handed WAL over."""

    @property
    def files(self) -> int:
        """How many of those are not in the storage yet."""


def server_backups() -> ServerBackups | None:
    """None where nobody has looked, or what they saw is away."""
    try:
        found: ServerBackups | None = import_string(settings.STAFF_SERVER_BACKUPS)()
    except ValkeyAway:
        return None
    return found
