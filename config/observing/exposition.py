"""All of it as Prometheus reads it: what the processes here have counted, and what is measured."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError
from django.utils.module_loading import import_string
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from config import health
from config.api.errors import DomainError
from config.observing import metrics
from config.observing.measure import Measure

_FAULTS = (DatabaseError, RedisError, DomainError, OSError)
_UP = ("bulkhead_up", "Whether what the platform needs answers.")
_MISSING = ("bulkhead_measures_missing", "Measures that could not be looked up.")
_LIVE = re.compile(r"gauge_live\w*_(\d+)\.db")
_log = logging.getLogger("bulkhead.measures")


def counted() -> bytes:
    """What the processes that share this one's folder have counted."""
    if not metrics.FOLDER:
        return generate_latest(metrics.REGISTRY)
    _forget_the_dead(Path(metrics.FOLDER))
    together = CollectorRegistry()
    MultiProcessCollector(together, metrics.FOLDER)  # type: ignore[no-untyped-call]  # no types
    return generate_latest(together)


def measured() -> bytes:
    """What is looked up now."""
    looked_up = CollectorRegistry()
    looked_up.register(_Measured())
    return generate_latest(looked_up)


class _Measured(Collector):
    """Which servers answer, and every room's measures; of those that fail it is said so."""

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        found = health.look()
        answers = {"database": found.database, "valkey": found.cache, "worker": found.worker}
        families = {"": GaugeMetricFamily(*_UP, labels=["server"])}
        missing = GaugeMetricFamily(*_MISSING, labels=["source"])
        for server, does_answer in answers.items():
            families[""].add_metric([server], float(does_answer))
        for source, server in settings.MEASURES.items():
            measures = _measures(source) if answers.get(server, True) else None
            missing.add_metric([source], float(measures is None))
            for measure in measures or ():
                _add(families, measure)
        yield from (*families.values(), missing)


def _measures(source: str) -> list[Measure] | None:
    try:
        return list(import_string(source)())
    except _FAULTS as fault:
        _log.warning("%s: %s", source, type(fault).__name__)
        return None


def _add(families: dict[str, GaugeMetricFamily], measure: Measure) -> None:
    if measure.name not in families:
        families[measure.name] = GaugeMetricFamily(
            measure.name, measure.means, labels=list(measure.labels)
        )
    families[measure.name].add_metric(list(measure.labels.values()), measure.value)


def _forget_the_dead(folder: Path) -> None:
    """What is of living processes only, such as open sockets, ends with whoever was killed."""
    for path in folder.glob("gauge_live*.db"):
        found = _LIVE.fullmatch(path.name)
        if found and not _lives(int(found[1])):
            path.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
