"""What `/metrics` tells, read as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.conf import settings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

TOKEN = "read-me"


def scrape() -> list[Sample]:
    """This process's own, through every middleware; the settings have to know the token."""
    assert settings.METRICS_TOKEN == TOKEN
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return read(answer.content.decode())


def read(text: str) -> list[Sample]:
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def value(samples: Iterable[Sample], name: str, **labels: str) -> float:
    """The sum of all that have these labels; 0 for none."""
    return sum(s.value for s in samples if s.name == name and _has(s.labels, labels))


def _has(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(labels.get(name) == value for name, value in wanted.items())
