"""Logs: one line an event, with tenant, actor and request id from the context."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from config.observing import work

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

request_id: ContextVar[str] = ContextVar("request_id", default="-")
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Controls and Unicode's line ends, save the tab: none may end a line, or steer a terminal.
_CONTROLS = {c: f"\\x{c:02x}" for c in (*range(32), *range(0x7F, 0xA0)) if c != 9}
_ESCAPED = {**_CONTROLS, 10: r"\n", 13: r"\r", 0x2028: r"\u2028", 0x2029: r"\u2029"}
_requests = logging.getLogger("bulkhead.requests")


class ContextFilter(logging.Filter):
    """Adds `tenant`, `actor`, `address` and `request_id` to every record that does not bring them.

    Ids only, never names or values.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        from tenants.context import current  # the settings import this module before Django is up

        context, doing = current(), work.current() or work.Work()
        told = {
            "tenant": str(context.tenant_id) if context else doing.tenant,
            "actor": context.actor.name if context else doing.actor,
            "address": "-",
            "request_id": request_id.get(),
        }
        for name, value in told.items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class PulseFilter(logging.Filter):
    """Keeps the worker's pulse, every few seconds the same, out of the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "tenants.tasks.pulse" not in record.getMessage()


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for machines."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "tenant": getattr(record, "tenant", "-"),
            "actor": getattr(record, "actor", "-"),
            "address": getattr(record, "address", "-"),
            "request_id": getattr(record, "request_id", "-"),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event)


class TextFormatter(logging.Formatter):
    """One line an event, for people; only a traceback goes on below it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """What a client put into a message must not look like a line of ours."""
        return super().formatMessage(record).translate(_ESCAPED)


def logging_config(level: str, *, as_json: bool) -> dict[str, Any]:
    """Django's LOGGING setting; every handler carries the context filter."""
    line = (
        "%(levelname).1s %(name)s tenant=%(tenant)s actor=%(actor)s req=%(request_id)s %(message)s"
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "context": {"()": "config.logs.ContextFilter"},
            "pulse": {"()": "config.logs.PulseFilter"},
        },
        "formatters": {
            "json": {"()": "config.logs.JsonFormatter"},
            "text": {"()": "config.logs.TextFormatter", "fmt": line},
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "filters": ["context", "pulse"],
                "formatter": "json" if as_json else "text",
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            # Its lines hold statements with values; the application never logs those.
            "django.db.backends": {"level": "WARNING"},
            "psycopg.pool": {"level": "ERROR"},
            # Each task has a line of ours, which says whose it is (`config/observing/tasks.py`).
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            # Theirs hold keys and signed addresses of calls to exchanges.
            "ccxt": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
        },
    }


class RequestIdMiddleware:
    """`X-Request-ID` in and out, and one log line a request; a header that is no id is replaced."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = id_for(request.headers.get("X-Request-ID", ""))
        token = request_id.set(name)
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            took = (time.perf_counter() - started) * 1000
            path = quote(request.path, safe="/:", errors="replace")
            line = "%s %s %s %.1fms"
            values = (request.method, path, response.status_code, took)
            _requests.info(line, *values, extra=_asked_by(request))
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = name
        return response


def id_for(given: str) -> str:
    """The id that a client gives its request, or one of ours for what is no id."""
    return given if _ACCEPTED_ID.fullmatch(given) else uuid4().hex


def id_of(scope: Any) -> str:
    """The same for a request that ends in front of Django."""
    return id_for(dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1"))


def _asked_by(request: HttpRequest) -> dict[str, str]:
    """Who asked where from, as the middlewares below have found out; their context is over."""
    caller = getattr(request, "identity", None)
    tenant_id = caller.tenant_id if caller else getattr(request, "tenant_id", None)
    return {
        "tenant": str(tenant_id or "-"),
        "actor": caller.context().actor.name if caller else "-",
        "address": getattr(request, "client_address", "") or "-",
    }
