"""What the ground floor knows of a tenant, taken away: each step may happen twice."""

from __future__ import annotations

import shutil
from typing import cast
from uuid import UUID

from django.core.files.storage import default_storage

from tenants import trail, valkey
from tenants.cursors import Cursor
from tenants.files import TenantStorage
from tenants.identifiers import PUBLIC_SCHEMA
from tenants.lifecycle import provisioning
from tenants.lifecycle.errors import NotDeletable
from tenants.lifecycle.provisioning import owner_cursor
from tenants.lifecycle.workflow import Work, in_one_commit
from tenants.models import Tenant
from tenants.moving import carrying, exclusion, fence
from tenants.moving.route import Route

_BATCH = 5_000  # rows that are removed by one transaction
_KEYS_AT_A_TIME = 1_000
_STATUS = "SELECT status FROM public.tenants_tenant WHERE id = %s"
_HOMELESS = "UPDATE public.tenants_tenant SET placement = 'shared' WHERE id = %s"


def remove_rows(work: Work) -> None:
    """The schema at once, and shared tables' rows some at a time, by the role that no policy holds.

    Raises TenantIsBusy while a transaction from before does not end, MoveUnderWay while its rows
    are restored, SchemasInUse while migrations run.
    """
    tenant = work.tenant
    fence.await_older(tenant.pk)
    with exclusion.nobody_else(tenant.pk):
        _drop_schema(tenant)
        rows = 0
        while removed := _remove_some(tenant.pk):
            rows += removed
            work.report(f"{rows} rows of shared tables are gone")
    work.report("no row is left")


def remove_traces(work: Work) -> None:
    """Keys of Valkey that name the tenant, whoever keeps them, and files. Raises ValkeyAway."""
    tenant_id = work.tenant.pk
    with valkey.needed() as client:
        for key in client.scan_iter(match=f"*{tenant_id}*", count=_KEYS_AT_A_TIME):
            client.unlink(key)
    folder = cast("TenantStorage", default_storage).folder_of(tenant_id)
    if folder.exists():
        shutil.rmtree(folder)
    work.report("caches and files are empty")


@in_one_commit
def leave_name(work: Work) -> None:
    """Whatever still refers to the tenant goes, this workflow and a log-in that was under way too.
    All that is left is the row with its id and slug, which nobody is to be given again."""
    tenant = work.tenant
    for relation in Tenant._meta.related_objects:
        rows = relation.related_model._default_manager.filter(**{relation.field.name: tenant})
        rows.delete()
    leaving = Tenant.objects.filter(pk=tenant.pk, status=Tenant.Status.DELETING)
    if leaving.update(status=Tenant.Status.DELETED, name=tenant.slug):
        after = {"id": str(tenant.pk)}
        by = work.workflow.by
        trail.record("tenant.deleted", by=by, kind="tenant", key=tenant.slug, after=after)
    work.report("deleted")


def _drop_schema(tenant: Tenant) -> None:
    """In one commit with the word that the tenant lives in none: it is nowhere half."""
    with owner_cursor() as cursor:
        _check_is_leaving(cursor, tenant.pk)
        provisioning.drop_schema(cursor, tenant.schema_name)
        cursor.execute(_HOMELESS, [tenant.pk])


def _remove_some(tenant_id: UUID) -> int:
    with owner_cursor() as cursor:
        _check_is_leaving(cursor, tenant_id)
        carrying.forget_notes(cursor, tenant_id)
        here = Route(tenant_id, PUBLIC_SCHEMA, PUBLIC_SCHEMA)
        with carrying.as_mover(cursor):
            return carrying.remove(cursor, here, PUBLIC_SCHEMA, at_most=_BATCH)


def _check_is_leaving(cursor: Cursor, tenant_id: UUID) -> None:
    """The last thing between a fault of ours and a tenant's only rows. Raises NotDeletable."""
    cursor.execute(_STATUS, [tenant_id])
    ((status,),) = cursor.fetchall()
    if status != Tenant.Status.DELETING:
        raise NotDeletable(f"The tenant is {status}: nothing of it is removed.")
