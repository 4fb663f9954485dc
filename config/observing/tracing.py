"""Traces, for who asks for them: from a request to its statements, to the tasks it sends.

Nothing of OpenTelemetry is loaded unless `OTEL_EXPORTER_OTLP_ENDPOINT` says where traces go. Spans
hold ids and the shape of statements; never values, tickets or names. A client's own `traceparent`
is not read: it would decide what we record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from config.observing.exporting import Exporting

Kind = Literal["internal", "server", "client", "producer", "consumer"]


@cache
def _exporting() -> Exporting | None:
    if not settings.TRACES_ENDPOINT:
        return None
    try:
        from config.observing.exporting import Exporting  # only now: see above
    except ModuleNotFoundError as missing:
        raise ImproperlyConfigured("Traces need requirements/traces.txt installed.") from missing
    return Exporting(settings.TRACES_ENDPOINT, share=settings.TRACES_SHARE)


def are_on() -> bool:
    return _exporting() is not None


@contextmanager
def span(
    name: str,
    kind: Kind = "internal",
    *,
    carried: Mapping[str, str] | None = None,
    **attributes: str,
) -> Iterator[None]:
    """A part of the trace; `carried` are the headers of the message that it answers to."""
    exporting = _exporting()
    if exporting is None:
        yield
        return
    with exporting.span(name, kind, carried=carried, attributes=attributes):
        yield


def describe(name: str, *, failed: bool = False, **attributes: str) -> None:
    """What is known of the span under way only now."""
    exporting = _exporting()
    if exporting is not None:
        exporting.describe(name, failed=failed, attributes=attributes)


def carry(headers: MutableMapping[str, str]) -> None:
    """Have a message tell of which trace it is."""
    exporting = _exporting()
    if exporting is not None:
        exporting.carry(headers)


def flush() -> None:
    """Send what is waiting, before a process ends that nobody lets finish."""
    exporting = _exporting()
    if exporting is not None:
        exporting.flush()
