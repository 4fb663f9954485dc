"""The one writer of the platform's trail: what is done outside every tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models

from accounts.audit.entries import entry
from accounts.trail.models import PlatformEvent


def record(
    action: str,
    *,
    by: str,
    on: models.Model | None = None,
    kind: str = "",
    key: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write into the platform's trail what `by` (an actor's name) has just done.

    The database refuses it inside a tenant: what is done there belongs into that tenant's trail.
    """
    said = entry(action, on=on, kind=kind, key=key, before=before, after=after)
    PlatformEvent(actor=by, **said).save(force_insert=True)
