"""The psycopg connection that enters the tenant on BEGIN, and cursors that take one statement."""

from __future__ import annotations

import select
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
from django.db.backends.postgresql.base import CursorMixin
from psycopg import adapt, generators, pq
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus

from tenants.backend import opening
from tenants.context import TenantContext

_COPY = (ExecStatus.COPY_IN, ExecStatus.COPY_OUT, ExecStatus.COPY_BOTH)


class TenantConnection(psycopg.Connection[Any]):
    """Enters the tenant where psycopg would send `BEGIN`, and no earlier.

    `BEGIN` with the ticket as its value goes together with the first statement: libpq's pipeline,
    one round trip. Where that cannot be (`COPY`, named cursors, a pipeline of the caller's), and
    for a connection's first transaction, `BEGIN; SELECT enter_tenant(…)` goes ahead.
    """

    tenant_to_enter: Callable[[], TenantContext | None] | None = None
    _ticket_type: int | None = None  # its OID, once the server has said it
    _schemas: frozenset[bytes] = frozenset()  # dedicated ones that its server process has seen

    def context_to_open(self) -> TenantContext | None:
        """The tenant that the next statement enters on its way, if one may go with it."""
        if (
            self.pgconn.transaction_status != TransactionStatus.IDLE
            or not self._ticket_type
            or self._autocommit
            or self._pipeline
            or self.tenant_to_enter is None
            # Prepared statements go another way; isolation levels are chosen before a ticket is.
            or self.prepare_threshold is not None
            or self._get_tx_start_command() != b"BEGIN"
        ):
            return None
        return self.tenant_to_enter()

    def open_with(self, context: TenantContext, send: Callable[[], None]) -> Any:
        """Open the transaction inside the tenant and have `send` send its first statement.

        Gives the statement's results. Raises the error that `enter_tenant` named: no transaction
        is open then, and nothing of the statement has been done.
        """
        begin, ticket = opening.begin(context), opening.ticket(context)
        self.pgconn.enter_pipeline_mode()
        try:
            self.pgconn.send_query_params(begin, [ticket], param_types=[self._ticket_type or 0])
            send()
        finally:
            self.pgconn.pipeline_sync()
            begun, *answers = yield from self._answers()
            if fault := opening.fault_of(begun):
                self._ticket_type = None  # it may be another since: asked for again
                opening.refuse(fault)
        self._note_schema()
        return answers[0]

    def refuse_if_interrupted(self) -> None:
        """Close a connection whose opening nobody waited for to its end, such as after a signal.

        Its answers are still on their way, and would be taken for those to the next statement.
        """
        is_open = self.pgconn.status == pq.ConnStatus.OK
        if is_open and not self._pipeline and self.pgconn.pipeline_status != PipelineStatus.OFF:
            self.pgconn.finish()

    def _answers(self) -> Any:
        """What each command gave, and the way out of the pipeline; a lost connection has none."""
        yield from generators.send(self.pgconn)
        answers = []
        while self.pgconn.status == pq.ConnStatus.OK:
            results = yield from generators.fetch_many(self.pgconn)
            if results[-1].status == ExecStatus.PIPELINE_SYNC:
                self.pgconn.exit_pipeline_mode()
                break
            answers.append(results)
            if results[-1].status in _COPY:  # there is no way out of that
                self.pgconn.finish()
        return answers

    def _exec_command(self, command: Any, result_format: pq.Format = pq.Format.TEXT) -> Any:
        if not (isinstance(command, bytes) and command.startswith(b"BEGIN")):
            return (yield from super()._exec_command(command, result_format))
        context = self.tenant_to_enter() if self.tenant_to_enter else None
        if context is None:
            return (yield from super()._exec_command(command, result_format))
        begin = command + b" READ ONLY" if context.is_read_only else command
        if self._pipeline:
            return (yield from self._queue_opening(begin, context))
        return (yield from self._begin_inside(begin, context))

    def _begin_inside(self, begin: bytes, context: TenantContext) -> Any:
        """Open the transaction inside the tenant, in a round trip of its own.

        Raises the error that `enter_tenant` named; the transaction is closed again then.
        """
        self._check_connection_ok()
        statements = [begin, opening.entry_statement(context)]
        if self._ticket_type is None:
            statements.append(opening.TICKET_TYPE)
        self.pgconn.send_query(b"; ".join(statements))
        results = yield from generators.execute(self.pgconn)
        if fault := opening.fault_of(results):
            if self.pgconn.transaction_status != TransactionStatus.UNKNOWN:
                yield from super()._exec_command(b"ROLLBACK")
            opening.refuse(fault)
        if self._ticket_type is None:
            self._ticket_type = int(results[-1].get_value(0, 0))
        self._note_schema()

    def _queue_opening(self, begin: bytes, context: TenantContext) -> Any:
        """The same in a pipeline of the caller's, which takes no message of several statements."""
        try:
            yield from super()._exec_command(begin)
            yield from super()._exec_command(opening.entry_statement(context))
            yield from self._pipeline._sync_gen()  # type: ignore[union-attr]  # the caller saw it
        except psycopg.Error as fault:
            if self.pgconn.status == pq.ConnStatus.OK:
                yield from super()._exec_command(b"ROLLBACK")
            opening.refuse(fault)

    def has_seen(self, schemas: int) -> bool:
        """Whether so many dedicated schemas were entered: the server keeps something of each."""
        return len(self._schemas) >= schemas

    def _note_schema(self) -> None:
        """As the server tells it by itself, from PostgreSQL 18 on; nobody else does."""
        if self.pgconn.status != pq.ConnStatus.OK:
            return
        path = self.pgconn.parameter_status(b"search_path")
        if path and path not in self._schemas and path.startswith(b"tenant_"):
            self._schemas |= {path}

    def has_been_cut(self) -> bool:
        """Whether the server has hung up, told by the socket alone: no round trip.

        An idle connection has nothing to read; one that has is closed, or about to be.
        """
        if self.closed:
            return True
        readable, _, _ = select.select([self.pgconn.socket], [], [], 0)
        return bool(readable)


class TenantCursor(CursorMixin, psycopg.Cursor[Any]):
    """Always speaks the extended protocol: one statement an execution, values never in the text."""

    def _execute_gen(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: Any = None
    ) -> Any:
        connection: Any = self._conn
        if connection.pgconn.transaction_status == TransactionStatus.INTRANS:
            # Well inside a transaction: nothing is to be opened, and nothing was interrupted.
            return super()._execute_gen(query, params, prepare=prepare, binary=binary)
        connection.refuse_if_interrupted()
        context = None if self.closed else connection.context_to_open()
        if context is None:
            return super()._execute_gen(query, params, prepare=prepare, binary=binary)
        return self._open_and_execute(context, query, params, binary=binary)

    def _open_and_execute(
        self, context: TenantContext, query: Any, params: Any, *, binary: bool | None
    ) -> Any:
        """psycopg's `_execute_gen`, with the transaction's opening on the same way."""
        connection: Any = self._conn
        self._reset()
        self._last_query = None
        self._tx = adapt.Transformer(self)
        converted = self._convert_query(query, params)
        send = partial(self._execute_send, converted, binary=binary)
        results = yield from connection.open_with(context, send)
        self._check_results(results)
        self._set_results(results)
        self._last_query = query

    def _execute_send(
        self, query: Any, *, force_extended: bool = True, binary: bool | None = None
    ) -> None:
        super()._execute_send(query, force_extended=True, binary=binary)


class TenantNamedCursor(CursorMixin, psycopg.ServerCursor[Any]):
    """A server-side cursor: it lives and dies in the transaction that entered the tenant."""

    def __init__(self, connection: Any, name: str, **kwargs: Any) -> None:
        connection.refuse_if_interrupted()
        if kwargs.pop("withhold", False):
            # Autocommit: Django would keep it past the transaction, and so past the tenant.
            raise psycopg.NotSupportedError("named cursors need an open transaction")
        super().__init__(connection, name, **kwargs)
