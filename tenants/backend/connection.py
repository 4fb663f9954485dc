"""The psycopg connection that carries the tenant on BEGIN, and cursors that take one statement."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db.backends.postgresql.base import CursorMixin
from psycopg import generators, pq

from tenants import tickets
from tenants.context import TenantContext
from tenants.errors import BY_SQLSTATE


class TenantConnection(psycopg.Connection[Any]):
    """Sends `BEGIN; SELECT enter_tenant(…)` as one message where psycopg would send `BEGIN`."""

    tenant_to_enter: Callable[[], TenantContext | None] | None = None

    def _exec_command(self, command: Any, result_format: pq.Format = pq.Format.TEXT) -> Any:
        if not (isinstance(command, bytes) and command.startswith(b"BEGIN")):
            return (yield from super()._exec_command(command, result_format))
        context = self.tenant_to_enter() if self.tenant_to_enter else None
        if context is None:
            return (yield from super()._exec_command(command, result_format))
        return (yield from self._begin_inside(command, context))

    def _begin_inside(self, begin: bytes, context: TenantContext) -> Any:
        """Open the transaction inside the tenant, in one round trip.

        Raises the error that `enter_tenant` named; the transaction is closed again then.
        """
        self._check_connection_ok()
        mode = b" READ ONLY; " if context.is_read_only else b"; "
        self.pgconn.send_query(begin + mode + entry_statement(context))
        for result in (yield from generators.execute(self.pgconn)):
            if result.status == pq.ExecStatus.FATAL_ERROR:
                fault = psycopg.errors.error_from_result(result, encoding="utf-8")
                if self.pgconn.transaction_status != pq.TransactionStatus.UNKNOWN:
                    yield from super()._exec_command(b"ROLLBACK")
                named = BY_SQLSTATE.get(fault.sqlstate or "")
                if named is None:
                    raise fault
                raise named from fault
        return None

    def has_been_cut(self) -> bool:
        """Whether the server has hung up, told by the socket alone: no round trip.

        An idle connection has nothing to read; one that has is closed, or about to be.
        """
        if self.closed:
            return True
        readable, _, _ = select.select([self.pgconn.socket], [], [], 0)
        return bool(readable)


def entry_statement(context: TenantContext) -> bytes:
    """`SELECT enter_tenant(…)` with a ticket that is at most a minute old."""
    minute = int(time.time()) // 60
    return _entry(context.tenant_id, context.actor.user_id, context.scope.value, minute)


@lru_cache(maxsize=4096)
def _entry(tenant_id: UUID, user_id: UUID | None, scope: str, minute: int) -> bytes:
    """The same bytes for whoever comes again within the minute: signing takes its time.

    A message of several statements takes no parameters; every value here is a UUID, a number, hex
    digits or one of two words, so there is nothing to escape.
    """
    ticket = tickets.issue(
        settings.TENANT_TICKET_SECRET,
        tenant_id=tenant_id,
        user_id=user_id,
        scope=scope,
        now=minute * 60,
    )
    user = f"'{ticket.user_id}'" if ticket.user_id else "NULL"
    return (
        f"SELECT public.enter_tenant('{ticket.tenant_id}', {user}, '{ticket.scope}',"
        f" {ticket.issued_at}, '\\x{ticket.mac.hex()}')"
    ).encode()


class TenantCursor(CursorMixin, psycopg.Cursor[Any]):
    """Always speaks the extended protocol: one statement an execution, values never in the text."""

    def _execute_send(
        self, query: Any, *, force_extended: bool = True, binary: bool | None = None
    ) -> None:
        super()._execute_send(query, force_extended=True, binary=binary)


class TenantNamedCursor(CursorMixin, psycopg.ServerCursor[Any]):
    """A server-side cursor: it lives and dies in the transaction that entered the tenant."""

    def __init__(self, connection: Any, name: str, **kwargs: Any) -> None:
        if kwargs.pop("withhold", False):
            # Autocommit: Django would keep it past the transaction, and so past the tenant.
            raise psycopg.NotSupportedError("named cursors need an open transaction")
        super().__init__(connection, name, **kwargs)
