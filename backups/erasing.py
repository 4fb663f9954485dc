"""The last of a deleted tenant: once no archive of it is left, its keys go too, and that is said.

From then on nothing anywhere opens what somebody may have copied of its archives. The platform's
trail, which is chained, has the whole of it: `tenant.deleted`, `backup.removed` of each archive,
`tenant.erased`.
"""

from __future__ import annotations

from django.db import transaction

from accounts.trail import actions as trail
from backups import keys, queries
from backups.storage import place
from tenants.models import Tenant

_BY = "system:backups"


def erase() -> list[Tenant]:
    """Destroy the keys of tenants that are gone with all their archives; gives those tenants.

    The keys first: broken off after that, the next one finds nothing to say. So it is said before
    the last of them goes.
    """
    erased = []
    for tenant in queries.without_archives():
        key_ids = keys.ids(place.chosen(), tenant.pk)
        if not key_ids:
            continue
        with transaction.atomic():
            told = {"id": str(tenant.pk), "keys": [str(each) for each in key_ids]}
            trail.record("tenant.erased", by=_BY, kind="tenant", key=tenant.slug, after=told)
            keys.destroy(place.chosen(), tenant.pk)
        erased.append(tenant)
    return erased
