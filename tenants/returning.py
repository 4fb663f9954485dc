"""When a tenant's work goes on: it was suspended, or its rows have become those of another time.

Prices have passed by it meanwhile. Its row says since when they do no longer, from the very commit
on that lets it be entered: whoever must not miss anything compares that with what he has noted.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.utils.module_loading import import_string

from tenants import afterwards
from tenants.models import Tenant


def note(tenant_id: UUID, *, now: datetime, using: str = DEFAULT_DB_ALIAS) -> None:
    """In the transaction after which it can be entered."""
    Tenant.objects.using(using).filter(pk=tenant_id).update(returned_at=now)


def tell(tenant_id: UUID) -> None:
    """After the commit, whoever keeps up with something; timers do the rest where this fails."""

    def send() -> None:
        for name in settings.AFTER_RETURN:
            import_string(name).send_to(tenant_id)

    afterwards.do(send)
