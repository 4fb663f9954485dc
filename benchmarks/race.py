"""Contestants side by side: each in turn, in random order, in processes made anew per batch.

Two processes of the same program differ by several per cent in speed for as long as they live
(memory layout), so a few pairs that live long would measure luck. There are many, for a short time,
each with a hash seed of its own: with one for all, two programs differ by the luck of that seed.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks import awake
from benchmarks.contestants import Contestant, Worker, started

_NORMAL_95 = statistics.NormalDist().inv_cdf(0.975)

Requests = Callable[[Contestant], list[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked of everyone: the requests, in each one's own words."""

    name: str
    requests: Requests


@dataclass(frozen=True, slots=True)
class Effort:
    """How often: `batches` of `turns`, in each of which everyone answers `times` requests."""

    batches: int = 20
    turns: int = 10
    times: int = 20


@dataclass(frozen=True, slots=True)
class Batch:
    """What one contestant's requests took in one batch; medians and means in milliseconds."""

    latency: float
    process: float
    backend: float

    @property
    def cpu(self) -> float:
        """Of both processes, the application's and the server's."""
        return self.process + self.backend


Results = dict[str, dict[str, list[Batch]]]  # by case, by contestant


@dataclass(frozen=True, slots=True)
class Spread:
    """A ratio per batch: the median of them, the outermost, and between which two the median would
    lie if there were batches without end, in 95 of 100 cases (order statistics: no distribution is
    assumed, the binomial is taken for a normal one)."""

    median: float
    least: float
    most: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        ordered = sorted(values)
        count = len(ordered)
        outside = max(int((count - _NORMAL_95 * math.sqrt(count)) / 2), 1)
        return cls(
            statistics.median(ordered),
            ordered[0],
            ordered[-1],
            ordered[outside - 1],
            ordered[count - outside],
        )


def race(
    contestants: Sequence[Contestant],
    cases: Sequence[Case],
    effort: Effort,
    say: Callable[[str], object],
) -> Results:
    """All cases by all contestants. Raises AssertionError when their answers differ."""
    results: Results = {case.name: {c.name: [] for c in contestants} for case in cases}
    for number in range(effort.batches):
        with awake.cores(), started(contestants) as workers:
            for case in cases:
                _prepare(workers, case, effort)
                for name, batch in _batch(workers, effort).items():
                    results[case.name][name].append(batch)
        say(f"batch {number + 1} of {effort.batches}")
    return results


def rehearse(contestants: Sequence[Contestant], cases: Sequence[Case]) -> None:
    """Everyone answers everything once, and alike: before an hour is spent, not after."""
    with started(contestants) as workers:
        for case in cases:
            _prepare(workers, case, Effort(times=0))


def _prepare(workers: Sequence[Worker], case: Case, effort: Effort) -> None:
    answers = {w.contestant.name: w("load", requests=case.requests(w.contestant)) for w in workers}
    if len({answer["digest"] for answer in answers.values()}) != 1:
        raise AssertionError(f"{case.name}: the answers differ: {answers}")
    for worker in workers:
        worker("warm", times=2 * effort.times)


def _batch(workers: Sequence[Worker], effort: Effort) -> dict[str, Batch]:
    took: dict[str, list[int]] = {w.contestant.name: [] for w in workers}
    process, backend = dict.fromkeys(took, 0), dict.fromkeys(took, 0)
    for _ in range(effort.turns):
        for worker in random.sample(workers, len(workers)):
            name, answer = worker.contestant.name, worker("run", times=effort.times)
            took[name] += answer["took"]
            process[name] += answer["process"]
            backend[name] += answer["backend"]
    asked = effort.turns * effort.times
    return {
        name: Batch(
            statistics.median(nanoseconds) / 1e6,
            process[name] / asked / 1e6,
            backend[name] / asked / 1e6,
        )
        for name, nanoseconds in took.items()
    }


def ratios(results: dict[str, list[Batch]], name: str, base: str, measure: str) -> Spread:
    """One contestant to another, batch by batch; `measure` is `latency`, `cpu`, …"""
    pairs = zip(results[name], results[base], strict=True)
    return Spread.of(getattr(a, measure) / getattr(b, measure) for a, b in pairs)


def medians(results: dict[str, list[Batch]], name: str, measure: str) -> float:
    """Over all batches of a contestant, in milliseconds."""
    return statistics.median(getattr(batch, measure) for batch in results[name])
