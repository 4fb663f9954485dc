"""What is looked up when somebody asks, as opposed to what is counted while it happens.

A room that has something to measure names a function of its own in `MEASURES`, and the server that
it asks: it takes nothing and gives measures. If it fails, the others are told all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Measure:
    """A value of now. Labels are as bounded as those of `metrics`, or say how they are."""

    name: str
    means: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
