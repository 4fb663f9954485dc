"""The last of a deleted tenant: once no archive of it is left, its keys go too, and that is said.

From then on nothing anywhere opens what somebody may have copied of its archives. The platform's
trail, which is chained, has the whole of it: `tenant.deleted`, `backup.removed` of each archive,
`tenant.erased`.
"""

from __future__ import annotations

from accounts.trail import actions as trail
from backups import keys, queries
from backups.storage import place
from tenants.models import Tenant

_BY = "system:backups"


def erase() -> list[Tenant]:
    """Destroy the keys of tenants that are gone with all their archives; gives those tenants.

    The storage is asked as well: a database that was brought back from before does not know all
    that lies there. Said once it is done: broken off in between, the next one says it.
    """
    storage, erased = place.chosen(), []
    for tenant in queries.without_archives():
        if any(not place.is_key(name) for name in storage.names(place.all_of(tenant.pk))):
            continue
        key_ids = keys.ids(storage, tenant.pk)
        keys.destroy(storage, tenant.pk)
        told = {"id": str(tenant.pk), "keys": [str(each) for each in key_ids]}
        trail.record("tenant.erased", by=_BY, kind="tenant", key=tenant.slug, after=told)
        erased.append(tenant)
    return erased
