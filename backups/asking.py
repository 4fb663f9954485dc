"""What people in charge of a tenant may do with its backups: ask, inside the tenant.

A row is the order, the message to a worker only carries it: one that is lost is sent again.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.audit import actions as audit
from backups import tasks
from backups.errors import NoBackup, RestorationUnderWay
from backups.models import Backup, Restoration
from tenants import context
from tenants.identity import Identity
from tenants.models import Tenant

Status, Reason = Backup.Status, Backup.Reason


def backup(*, now: datetime) -> Backup:
    """Ask for a backup of the entered tenant; while one is under way it is that one."""
    entered = context.require()
    open_ones = Backup.objects.filter(
        tenant_id=entered.tenant_id, status__in=(Status.ASKED, Status.RUNNING)
    )
    if under_way := open_ones.first():
        return under_way
    asked = Backup.objects.create(
        tenant_id=entered.tenant_id,
        slug=Tenant.objects.values_list("slug", flat=True).get(pk=entered.tenant_id),
        reason=Reason.ASKED,
        asked_by=entered.actor.name,
        asked_at=now,
    )
    audit.record("backup.asked", on=asked)
    transaction.on_commit(partial(tasks.take.delay, str(asked.id)), robust=True)
    return asked


def restoration(*, backup_id: UUID, by: Identity, now: datetime) -> Restoration:
    """Ask for the entered tenant to be put back to a backup of its own.

    Raises NoBackup for one that is not complete, RestorationUnderWay: one at a time.
    """
    of = Backup.objects.filter(pk=backup_id, tenant_id=by.tenant_id, status=Status.COMPLETE).first()
    if of is None:
        raise NoBackup
    if Restoration.objects.under_way().filter(tenant_id=by.tenant_id).exists():
        raise RestorationUnderWay
    asked = Restoration.objects.create(
        tenant_id=by.tenant_id, backup=of, asked_by_id=by.user_id, asked_at=now
    )
    audit.record("backup.restore_asked", on=of)
    transaction.on_commit(partial(tasks.restore.delay, str(asked.id)), robust=True)
    return asked
