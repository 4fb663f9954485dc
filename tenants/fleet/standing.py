"""Which schemas lack a migration, for whoever may not ask the ledger, which is the owner's.

The operator's worker looks now and then and says in the shared cache what it has found.
"""

from __future__ import annotations

from dataclasses import asdict

from django.core.cache import caches

from tenants.fleet import planning
from tenants.fleet.planning import Due

LOOKED_AFTER = 60.0  # seconds, from one look to the next
_KEY, _KEPT = "schemas-behind", 5 * 60  # seconds


def look() -> None:
    """Raises OwnerLoginMissing."""
    caches["shared"].set(_KEY, [asdict(one) for one in planning.due()], _KEPT)


def seen() -> list[Due] | None:
    """What the last look has found; None where nobody has looked lately. Raises RedisError."""
    found = caches["shared"].get(_KEY)
    return None if found is None else [Due(**one) for one in found]
