"""The one writer of the trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models


def record(
    action: str,
    *,
    on: models.Model | None = None,
    kind: str = "",
    key: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write into the entered tenant's trail what its actor has just done."""
