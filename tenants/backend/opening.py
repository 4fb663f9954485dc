"""What BEGIN carries: a signed ticket, as its bound value or in a statement of the same message."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NoReturn
from uuid import UUID

import psycopg
from django.conf import settings
from psycopg.pq import ExecStatus

from tenants import tickets
from tenants.context import TenantContext
from tenants.errors import BY_SQLSTATE

# The OID of `tenant_ticket` (tenants/entry.py); 0 where there is none, or it would enter nothing.
TICKET_TYPE = (
    b"SELECT coalesce(max(k.contypid), 0) FROM pg_catalog.pg_constraint k"
    b" WHERE k.contypid = pg_catalog.to_regtype('public.tenant_ticket') AND k.conname = 'enters'"
)


def begin(context: TenantContext) -> bytes:
    return b"BEGIN READ ONLY" if context.is_read_only else b"BEGIN"


def ticket(context: TenantContext) -> bytes:
    """The text of a `tenant_ticket` that is at most a minute old."""
    return b"{%s}" % b",".join(_fields(context))


def entry_statement(context: TenantContext) -> bytes:
    """`SELECT enter_tenant(…)` with a ticket that is at most a minute old.

    A message of several statements takes no parameters; every value here is a UUID, a number, hex
    digits or one of two words, so there is nothing to escape.
    """
    tenant, user, scope, issued_at, mac = _fields(context)
    person = user if user == b"NULL" else b"'%s'" % user
    return b"SELECT public.enter_tenant('%s', %s, '%s', %s, '\\x%s')" % (
        tenant,
        person,
        scope,
        issued_at,
        mac,
    )


def fault_of(results: Iterable[Any]) -> psycopg.Error | None:
    """What a command of the opening ended with, if it failed."""
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            return psycopg.errors.error_from_result(result, encoding="utf-8")
    return None


def refuse(fault: psycopg.Error) -> NoReturn:
    """Raise the error that `enter_tenant` named; else the fault itself."""
    named = BY_SQLSTATE.get(fault.sqlstate or "")
    if named is None:
        raise fault
    raise named from fault


def _fields(context: TenantContext) -> tuple[bytes, ...]:
    minute = int(time.time()) // 60
    return _signed(context.tenant_id, context.actor.user_id, context.scope.value, minute)


@lru_cache(maxsize=4096)
def _signed(tenant_id: UUID, user_id: UUID | None, scope: str, minute: int) -> tuple[bytes, ...]:
    """The same bytes for whoever comes again within the minute: signing takes its time."""
    signed = tickets.issue(
        settings.TENANT_TICKET_SECRET,
        tenant_id=tenant_id,
        user_id=user_id,
        scope=scope,
        now=minute * 60,
    )
    user = str(signed.user_id or "NULL")
    fields = (str(signed.tenant_id), user, signed.scope, str(signed.issued_at), signed.mac.hex())
    return tuple(field.encode() for field in fields)
