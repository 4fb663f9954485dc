"""The part of backups in making a tenant, and in deleting it: each step may happen twice."""

from __future__ import annotations

from backups import actions
from backups.models import Backup
from tenants.lifecycle.provisioning import owner_cursor
from tenants.lifecycle.workflow import Work
from tenants.models import Tenant


def take_first(work: Work) -> None:
    """Before anybody is let in: so the first night is not waited for."""
    _take(work, Backup.Reason.FIRST)


def take_last(work: Work) -> None:
    """Once nobody gets in any more, and before the rows go; of one whose schema was never made
    there are none."""
    if _has_tables(work.tenant):
        _take(work, Backup.Reason.LAST)


def _has_tables(tenant: Tenant) -> bool:
    """Raises OwnerLoginMissing."""
    with owner_cursor() as cursor:
        cursor.execute("SELECT pg_catalog.to_regnamespace(%s) IS NOT NULL", [tenant.live_schema])
        ((is_there,),) = cursor.fetchall()
        return bool(is_there)


def _take(work: Work, reason: Backup.Reason) -> None:
    """Unless this work has one already. Raises what `actions.take` raises."""
    asked_since = Backup.objects.filter(reason=reason, asked_at__gte=work.workflow.asked_at)
    if asked_since.filter(tenant_id=work.tenant.pk, status=Backup.Status.COMPLETE).exists():
        return
    taken = actions.take(tenant=work.tenant, reason=reason, by=work.workflow.by, now=work.now)
    work.report(f"backup {taken.pk}: {taken.rows} rows")
