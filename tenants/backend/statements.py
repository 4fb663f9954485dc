"""Each statement on its way: timed for what it is part of, traced, and noted when it is slow."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import Error
from psycopg.sql import Composable

from config.observing import metrics, tracing, work
from tenants import context, slow_queries, tally
from tenants.backend import shapes

_CANCELED = "57014"  # by its timeout; else only by an operator, or whoever pressed Ctrl-C

_Execute = Callable[[Any, Any, bool, dict[str, Any]], Any]


def watched(
    execute: _Execute,
    sql: Any,
    params: Any,
    many: bool,  # noqa: FBT001 - Django's signature
    about: dict[str, Any],
) -> Any:
    """One of Django's execute wrappers, on every connection of the application's role."""
    started = time.perf_counter()
    try:
        if not tracing.are_on():
            return execute(sql, params, many, about)
        shape = shapes.of(_text(sql))
        with tracing.span(_verb(shape), "client", db__system="postgresql", db__query__text=shape):
            return execute(sql, params, many, about)
    except Error as fault:
        _note_error(getattr(fault.__cause__, "sqlstate", None))
        raise
    finally:
        seconds = time.perf_counter() - started
        work.note_statement(seconds)
        if seconds * 1000 >= settings.SLOW_STATEMENT_MS:
            slow_queries.note(shapes.of(_text(sql)), seconds=seconds)


def _note_error(sqlstate: str | None) -> None:
    """What took longer than the tenant's plan allows is counted for its tenant, too."""
    metrics.database_error(sqlstate)
    entered = context.current()
    if sqlstate == _CANCELED and entered is not None:
        metrics.statement_cut_off(work.name())
        tally.note_cut_off(entered.tenant_id)


def _text(sql: Any) -> str:
    if isinstance(sql, Composable):
        return sql.as_string(None)
    return sql.decode(errors="replace") if isinstance(sql, bytes) else str(sql)


def _verb(shape: str) -> str:
    return shape.partition(" ")[0].upper()[:20] or "SQL"
