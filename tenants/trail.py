"""What the ground floor does, told to whoever keeps the trails of the platform and of tenants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.module_loading import import_string


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
    """Have `by` (an actor's name, such as `system:create_tenant`) stand for what was done.

    In the caller's transaction, so that neither stays without the other.
    """
    write = import_string(settings.TENANT_TRAIL)
    write(action, by=by, on=on, kind=kind, key=key, before=before, after=after)


def record_inside(action: str, *, kind: str = "", key: str = "") -> None:
    """Have it stand in the entered tenant's own trail, by the context's actor."""
    import_string(settings.TENANT_OWN_TRAIL)(action, kind=kind, key=key)
