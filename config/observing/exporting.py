"""OpenTelemetry itself, loaded only where traces are asked for (`config.observing.tracing`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_KINDS = {kind.name.lower(): kind for kind in SpanKind}


class Exporting:
    """Spans of this process on their way to a collector, in the background.

    One that cannot be sent is dropped: nobody waits for whoever watches.
    """

    def __init__(self, endpoint: str, *, share: float) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)),
            resource=Resource.create({"service.name": "bulkhead"}),
        )
        address = f"{endpoint.rstrip('/')}/v1/traces"
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(address)))
        self._tracer = self._provider.get_tracer("bulkhead")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self,
        name: str,
        kind: str,
        *,
        carried: Mapping[str, str] | None,
        attributes: Mapping[str, str],
    ) -> Iterator[None]:
        """An error's text may hold values of a row, so that only its class is told."""
        parent = None if carried is None else self._propagator.extract(dict(carried))
        with self._tracer.start_as_current_span(
            name,
            context=parent,
            kind=_KINDS[kind],
            attributes=_attributes(attributes),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as fault:
                span.set_status(Status(StatusCode.ERROR, type(fault).__name__))
                raise

    def describe(self, name: str, *, failed: bool, attributes: Mapping[str, str]) -> None:
        span = trace.get_current_span()
        span.update_name(name)
        span.set_attributes(_attributes(attributes))
        if failed:
            span.set_status(Status(StatusCode.ERROR))

    def carry(self, headers: MutableMapping[str, str]) -> None:
        self._propagator.inject(headers)

    def flush(self) -> None:
        self._provider.force_flush()


def _attributes(told: Mapping[str, str]) -> dict[str, str]:
    """OpenTelemetry's names have dots, Python's have not: `tenant__id` is `tenant.id`."""
    return {name.replace("__", "."): value for name, value in told.items()}
