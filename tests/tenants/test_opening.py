"""BEGIN, the ticket and the first statement in one round trip, and what takes another way."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import DataError, OperationalError, transaction
from django.db import connection as django_connection
from psycopg import errors
from psycopg.pq import TransactionStatus

from accounts.suspension import actions as suspension
from tenants import context, tickets
from tenants.backend import opening
from tenants.backend.connection import TenantConnection, TenantCursor, TenantNamedCursor
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantSuspended, TicketRefused, UnknownTenant
from tenants.models import Tenant
from tests.cast import House, build_tenant, job, now
from trading.models import Account

_WHO = "SELECT current_setting('app.current_tenant_id', true)"
_ACCOUNTS = "SELECT name FROM trading_account"
# The application may not sleep.
_LONG = "SELECT count(*) FROM generate_series(1, 1e6) a, generate_series(1, 1e6) b"


@pytest.fixture
def where(house: House) -> TenantContext:
    return TenantContext(house.alice.tenant.id, Actor.user(house.alice.user_id), Scope.USER)


@pytest.fixture
def connection(where: TenantContext) -> Iterator[TenantConnection]:
    """A connection of its own that has had its first transaction."""
    with _connected(where) as connection:
        _read(connection, "SELECT 1")
        connection.commit()
        assert connection._ticket_type
        yield connection


@contextmanager
def _connected(where: TenantContext) -> Iterator[TenantConnection]:
    connection = TenantConnection.connect(
        os.environ["DATABASE_URL"], cursor_factory=TenantCursor, prepare_threshold=None
    )
    connection.server_cursor_factory = TenantNamedCursor
    connection.tenant_to_enter = lambda: where
    try:
        yield connection
    finally:
        connection.close()


def _read(connection: TenantConnection, statement: Any, parameters: Any = None) -> list[Any]:
    return [row[0] for row in connection.execute(statement, parameters)]


def _said(connection: TenantConnection, act: Callable[[], object]) -> list[str]:
    """The messages of both sides, in libpq's words: `F` for the client's, `B` for the server's."""
    with tempfile.TemporaryFile("w+") as file:
        connection.pgconn.trace(file.fileno())
        connection.pgconn.set_trace_flags(psycopg.pq.Trace.SUPPRESS_TIMESTAMPS)
        try:
            act()
        finally:
            connection.pgconn.untrace()
        file.seek(0)
        lines = [line.strip().split("\t") for line in file]
    return [" ".join([side, *words]) for side, _length, *words in lines]


def _is_clean(connection: TenantConnection, where: TenantContext) -> bool:
    """Nothing is open, and the next transaction finds its tenant."""
    idle = connection.pgconn.transaction_status == TransactionStatus.IDLE
    connection.tenant_to_enter = lambda: where
    found = _read(connection, _WHO)
    connection.commit()
    return idle and found == [str(where.tenant_id)]


def test_the_first_statement_goes_together_with_the_opening(
    connection: TenantConnection, where: TenantContext
) -> None:
    found: list[Any] = []
    said = _said(connection, lambda: found.extend(_read(connection, _WHO)))
    assert found == [str(where.tenant_id)]
    client, server = ([line.split()[1] for line in said if line.startswith(side)] for side in "FB")
    assert client == ["Parse", "Bind", "Describe", "Execute"] * 2 + ["Sync"]
    assert [line[0] for line in said] == ["F"] * len(client) + ["B"] * len(server)
    assert server.count("CommandComplete") == 2


def test_statements_that_follow_go_alone(connection: TenantConnection) -> None:
    _read(connection, "SELECT 1")
    said = _said(connection, lambda: _read(connection, "SELECT 2"))
    assert [line.split()[1] for line in said if line[0] == "F"] == [
        "Parse",
        "Bind",
        "Describe",
        "Execute",
        "Sync",
    ]
    assert not any("BEGIN" in line for line in said)


def test_a_transaction_without_a_statement_sends_nothing(where: TenantContext) -> None:
    with context.enter(where):
        _read_django("SELECT 1")
    inner = django_connection.connection

    def nothing() -> None:
        with context.enter(where):
            assert not django_connection.get_autocommit()

    assert _said(inner, nothing) == []


def _read_django(statement: str) -> Any:
    with django_connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_the_first_transaction_of_a_connection_asks_for_the_type(where: TenantContext) -> None:
    with _connected(where) as connection:
        said = _said(connection, lambda: _read(connection, _WHO))
        assert any("BEGIN; SELECT public.enter_tenant" in line for line in said)
        connection.rollback()
        assert _is_clean(connection, where)


def test_where_the_type_is_missing_the_opening_goes_ahead(
    where: TenantContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "TICKET_TYPE", b"SELECT 0")
    with _connected(where) as connection:
        for _ in range(2):
            said = _said(connection, lambda: _read(connection, _WHO))
            assert any("BEGIN; SELECT public.enter_tenant" in line for line in said)
            connection.commit()
        assert _is_clean(connection, where)


@pytest.mark.parametrize(
    "change",
    [
        "DROP DOMAIN public.tenant_ticket",
        "ALTER DOMAIN public.tenant_ticket DROP CONSTRAINT enters",
    ],
)
def test_a_type_that_enters_nothing_is_not_used(change: str) -> None:
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"]) as superuser:
        assert superuser.execute(opening.TICKET_TYPE).fetchone() != (0,)
        superuser.execute(change)
        assert superuser.execute(opening.TICKET_TYPE).fetchone() == (0,)
        superuser.rollback()


def test_a_type_that_has_gone_costs_one_error(
    connection: TenantConnection, where: TenantContext
) -> None:
    connection._ticket_type = 2_000_000_000
    with pytest.raises(psycopg.Error):
        connection.execute("SELECT 1")
    assert _is_clean(connection, where)
    assert connection._ticket_type not in (None, 2_000_000_000)


def _many(connection: TenantConnection) -> None:
    with connection.cursor() as cursor:
        cursor.executemany("SELECT %s::int", [(1,), (2,)])


def _copy(connection: TenantConnection) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY (SELECT 1) TO STDOUT") as copy,
    ):
        assert list(copy)


def _stream(connection: TenantConnection) -> None:
    with connection.cursor() as cursor:
        assert list(cursor.stream("SELECT generate_series(1, 3)")) == [(1,), (2,), (3,)]


def _named(connection: TenantConnection) -> None:
    with connection.cursor("named") as cursor:
        cursor.execute("SELECT generate_series(1, 3)")
        assert len(cursor.fetchall()) == 3


def _pipeline(connection: TenantConnection) -> None:
    with connection.pipeline():
        first, second = connection.execute("SELECT 1"), connection.execute("SELECT 2")
    assert (first.fetchone(), second.fetchone()) == ((1,), (2,))


def _early_cursor(connection: TenantConnection) -> None:
    cursor = connection.cursor()
    connection.commit()
    assert cursor.execute("SELECT 1").fetchone() == (1,)


def _prepared(connection: TenantConnection) -> None:
    connection.prepare_threshold = 0
    assert _read(connection, "SELECT %s::int", [1]) == [1]


def _repeatable(connection: TenantConnection) -> None:
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    assert _read(connection, "SHOW transaction_isolation") == ["repeatable read"]


def _binary(connection: TenantConnection) -> None:
    assert connection.execute("SELECT 1::int", binary=True).fetchone() == (1,)


WAYS: dict[str, Callable[[TenantConnection], object]] = {
    "executemany": _many,
    "copy": _copy,
    "stream": _stream,
    "named cursor": _named,
    "pipeline": _pipeline,
    "a cursor from before": _early_cursor,
    "prepared statements": _prepared,
    "another isolation level": _repeatable,
    "binary": _binary,
    "savepoint": lambda c: c.execute("SAVEPOINT one"),
    "set": lambda c: c.execute("SET LOCAL work_mem = '8MB'"),
    "lock": lambda c: c.execute("SELECT * FROM trading_account FOR UPDATE"),
}


@pytest.mark.parametrize("way", WAYS)
def test_whatever_comes_first_is_inside_the_tenant(
    connection: TenantConnection, where: TenantContext, way: str
) -> None:
    WAYS[way](connection)
    assert connection.pgconn.transaction_status == TransactionStatus.INTRANS
    assert _read(connection, _WHO) == [str(where.tenant_id)]
    connection.rollback()
    assert _is_clean(connection, where)


@pytest.mark.parametrize("way", WAYS)
def test_whatever_comes_first_is_refused_with_its_tenant(
    connection: TenantConnection, where: TenantContext, way: str
) -> None:
    connection.tenant_to_enter = lambda: replace(where, tenant_id=uuid4())
    with pytest.raises(UnknownTenant):
        WAYS[way](connection)
    connection.rollback()
    connection.prepare_threshold = None
    assert _is_clean(connection, where)


def test_a_refused_opening_leaves_the_statement_undone(
    connection: TenantConnection, house: House, where: TenantContext
) -> None:
    tenant = house.alice.tenant
    suspension.suspend_tenant(tenant=tenant, reason="unpaid", by=Actor.system("test"), now=now())
    for statement in ("SET SESSION application_name = 'done'", "SELECT pg_notify('done', '')"):
        with pytest.raises(TenantSuspended) as refusal:
            connection.execute(statement)
        assert isinstance(refusal.value.__cause__, psycopg.Error)
        assert connection.pgconn.transaction_status == TransactionStatus.IDLE
    with pytest.raises(TenantSuspended), context.enter(where):
        Account.objects.create(id=uuid4(), user_id=house.alice.user_id, name="written")
    suspension.resume_tenant(tenant=tenant, by=Actor.system("test"), now=now())
    assert _read(connection, "SHOW application_name") == [""]
    assert "written" not in _read(connection, _ACCOUNTS)


def test_a_forged_ticket_is_refused(
    connection: TenantConnection, where: TenantContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = opening.ticket(where)
    monkeypatch.setattr(opening, "ticket", lambda _: signed.replace(b",user,", b",tenant,"))
    with pytest.raises(TicketRefused):
        connection.execute("SELECT 1")
    monkeypatch.undo()
    assert _is_clean(connection, where)


@pytest.mark.parametrize("text", [b"{}", b"{x}", b"", b"{NULL,NULL,NULL,NULL,NULL}"])
def test_a_malformed_ticket_opens_nothing(
    connection: TenantConnection,
    where: TenantContext,
    text: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening, "ticket", lambda _: text)
    with pytest.raises((psycopg.Error, TicketRefused)):
        connection.execute("SELECT 1")
    monkeypatch.undo()
    assert _is_clean(connection, where)


def test_the_first_statement_enters_no_other_tenant(
    connection: TenantConnection, house: House, where: TenantContext
) -> None:
    """Not even with a ticket that is good for it."""
    mallory = TenantContext(house.mallory.tenant.id, Actor.system("test"), Scope.TENANT)
    text = opening.ticket(mallory).decode()
    for statement in (f"SELECT '{text}'::public.tenant_ticket", opening.entry_statement(mallory)):
        with pytest.raises(psycopg.Error) as fault:
            connection.execute(statement)
        assert fault.value.sqlstate == "BH004"
        connection.rollback()
    for statement in ("COMMIT; BEGIN; SELECT 1", f"SELECT 1; SELECT '{text}'::tenant_ticket"):
        with pytest.raises(errors.SyntaxError, match="multiple commands"):
            connection.execute(statement)
        connection.rollback()
    assert _is_clean(connection, where)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("SELECT 1 / 0", errors.DivisionByZero),
        ("SELEC", errors.SyntaxError),
        ("SELECT * FROM nowhere", errors.UndefinedTable),
        ("SELECT * FROM accounts_user WHERE id = 'x'", errors.InvalidTextRepresentation),
    ],
)
def test_a_failing_first_statement_says_its_own_error(
    connection: TenantConnection,
    where: TenantContext,
    statement: str,
    fault: type[psycopg.Error],
) -> None:
    with pytest.raises(fault) as failed:
        connection.execute(statement)
    assert failed.value.diag.sqlstate == fault.sqlstate
    assert connection.pgconn.transaction_status == TransactionStatus.INERROR
    with pytest.raises(errors.InFailedSqlTransaction):
        connection.execute("SELECT 1")
    connection.rollback()
    assert _is_clean(connection, where)


def test_a_statement_that_cannot_be_converted_is_not_sent(
    connection: TenantConnection, where: TenantContext
) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        connection.execute("SELECT %s, %s", [1])
    assert _is_clean(connection, where)


def test_one_that_cannot_be_sent_leaves_the_transaction_open(
    connection: TenantConnection, where: TenantContext
) -> None:
    many = ", ".join(["%s"] * 70_000)
    with pytest.raises(psycopg.OperationalError, match="number of parameters"):
        connection.execute(f"SELECT 1 WHERE 1 IN ({many})", [1] * 70_000)
    assert connection.pgconn.transaction_status == TransactionStatus.INTRANS
    connection.rollback()
    assert _is_clean(connection, where)


def test_copy_by_execute_is_refused_and_costs_the_connection(connection: TenantConnection) -> None:
    with pytest.raises(psycopg.ProgrammingError, match="use copy"):
        connection.execute("COPY (SELECT 1) TO STDOUT")
    assert connection.closed


def test_large_values_and_large_answers_pass(connection: TenantConnection) -> None:
    text = "x" * 8_000_000
    assert _read(connection, "SELECT repeat(%s, 3)", [text]) == [text * 3]


def test_a_reader_does_not_write(connection: TenantConnection, where: TenantContext) -> None:
    connection.tenant_to_enter = lambda: replace(where, is_read_only=True)
    with pytest.raises(errors.ReadOnlySqlTransaction):
        connection.execute("UPDATE trading_account SET name = 'x'")
    connection.rollback()
    assert _is_clean(connection, where)


def test_the_plan_limits_the_first_statement(connection: TenantConnection, tier: str) -> None:
    limit = {"starter": "5s", "enterprise": "1min"}[tier]
    assert _read(connection, "SHOW statement_timeout") == [limit]


def test_notices_and_notifications_arrive(connection: TenantConnection) -> None:
    heard: list[str | None] = []
    connection.add_notice_handler(lambda notice: heard.append(notice.message_primary))
    connection.add_notify_handler(lambda notify: heard.append(notify.channel))
    connection.execute("DROP TABLE IF EXISTS nowhere")
    connection.rollback()
    connection.execute("LISTEN opened")
    connection.commit()
    connection.execute("NOTIFY opened")
    connection.commit()
    connection.execute("SELECT 1")
    assert heard == ['table "nowhere" does not exist, skipping', "opened"]


def test_a_cancelled_first_statement(connection: TenantConnection, where: TenantContext) -> None:
    timer = threading.Timer(0.3, connection.cancel_safe)
    timer.start()
    with pytest.raises(errors.QueryCanceled):
        connection.execute(_LONG)
    timer.join()
    assert connection.pgconn.transaction_status == TransactionStatus.INERROR
    connection.rollback()
    assert _is_clean(connection, where)


def test_an_interrupted_first_statement(connection: TenantConnection, where: TenantContext) -> None:
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            connection.execute(_LONG)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert connection.pgconn.transaction_status == TransactionStatus.INERROR
    connection.rollback()
    assert _is_clean(connection, where)


def test_a_backend_killed_in_the_first_statement(connection: TenantConnection) -> None:
    timer = threading.Timer(0.3, _kill, [connection.info.backend_pid])
    timer.start()
    with pytest.raises(psycopg.OperationalError):
        connection.execute(_LONG)
    timer.join()
    assert connection.closed


def test_a_backend_killed_before_it(connection: TenantConnection) -> None:
    _kill(connection.info.backend_pid)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    assert connection.closed


def test_a_socket_closed_before_it(connection: TenantConnection) -> None:
    with socket.socket(fileno=os.dup(connection.pgconn.socket)) as line:
        line.shutdown(socket.SHUT_RDWR)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    assert connection.closed


def _kill(pid: int) -> None:
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True) as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_the_pool_replaces_one_that_died_on_the_way(where: TenantContext) -> None:
    with context.enter(where):
        _read_django("SELECT 1")
    pid = django_connection.connection.info.backend_pid
    with pytest.raises(OperationalError), context.enter(where):
        _kill(pid)
        _read_django("SELECT 1")
    django_connection.close()
    with context.enter(where):
        assert _read_django(_WHO) == [(str(where.tenant_id),)]


def test_without_a_tenant_nothing_changes(connection: TenantConnection) -> None:
    connection.tenant_to_enter = lambda: None
    assert any("BEGIN" in line for line in _said(connection, lambda: _read(connection, _WHO)))
    assert _read(connection, _WHO) in ([""], [None])
    connection.rollback()
    connection.autocommit = True
    said = _said(connection, lambda: _read(connection, "SELECT 1"))
    assert not any("BEGIN" in line for line in said)


def test_a_savepoint_is_django_s_first_statement(where: TenantContext) -> None:
    for _ in range(2):
        with context.enter(where):
            with transaction.atomic():
                assert _read_django(_WHO) == [(str(where.tenant_id),)]
            with pytest.raises(DataError), transaction.atomic():
                _read_django("SELECT 1 / 0")
            assert _read_django(_WHO) == [(str(where.tenant_id),)]


def test_a_ticket_too_old_is_refused(
    connection: TenantConnection, where: TenantContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = now().timestamp() - tickets.LIFETIME - 61
    monkeypatch.setattr("tenants.backend.opening.time.time", lambda: long_ago)
    with pytest.raises(TicketRefused):
        connection.execute("SELECT 1")
    monkeypatch.undo()
    assert _is_clean(connection, where)


class _TimeIsUp(Exception):
    """What a signal's handler raises, such as a worker's soft time limit."""


def test_an_answer_that_nobody_waited_for_is_not_taken_for_the_next(
    connection: TenantConnection,
) -> None:
    def interrupt(*_: object) -> None:
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(_TimeIsUp):
            connection.execute(_LONG)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError, match="closed"):
            connection.execute("SELECT 'second'")
    assert connection.closed


def test_a_ticket_that_cannot_be_made_leaves_the_connection_as_it_was(
    connection: TenantConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(opening, "ticket", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            connection.execute("SELECT 1")
    assert connection.pgconn.transaction_status == TransactionStatus.IDLE
    assert connection.execute("SELECT 'second'").fetchone() == ("second",)


def test_a_connection_knows_how_many_schemas_it_has_seen(where: TenantContext) -> None:
    """What is shared is none, and one that is seen again is the same."""
    shared, dedicated = build_tenant("starter"), [build_tenant("enterprise") for _ in range(2)]
    with _connected(where) as connection:
        for tenant in (*dedicated, shared, *dedicated):
            connection.tenant_to_enter = lambda t=tenant: TenantContext(
                t.id, Actor.system("test"), Scope.TENANT
            )
            _read(connection, "SELECT 1")
            connection.rollback()
        assert connection.has_seen(2)
        assert not connection.has_seen(3)


def test_one_that_has_seen_enough_is_closed(settings: Any) -> None:
    settings.DATABASE_SCHEMAS_PER_CONNECTION = 1
    shared, dedicated = build_tenant("starter"), build_tenant("enterprise")
    django_connection.close()
    django_connection.close_pool()  # of the connections that it has, some have seen a schema
    assert not _used(shared).closed
    assert _used(dedicated).closed


def _used(tenant: Tenant) -> TenantConnection:
    """The connection that a request in the tenant took, and gave back."""
    with job(tenant):
        assert not Account.objects.exists()
        connection: TenantConnection = django_connection.connection
    django_connection.close()
    return connection
