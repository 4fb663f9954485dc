"""What a dedicated schema costs to make, beside Django's own `migrate` of an empty one.

`python -m benchmarks provisioning`; takes about a minute.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.installation import Installation, installed, python
from benchmarks.report import Report, Table, publish


def run(*, quick: bool = False) -> None:
    firsts, replays, migrations = (3, 5, 2) if quick else (20, 50, 10)
    with installed() as installation:
        first = [_measured(installation, 0, 0)["first"] for _ in range(firsts)]
        found = {"first": first, **_measured(installation, replays, migrations)}
        publish(_report(found), installation, keep=not quick)


def _measured(installation: Installation, *how_many: int) -> dict[str, Any]:
    """What one process of its own found."""
    arguments = ("-m", "benchmarks.schemas", *map(str, how_many))
    answer = python(installation.environment, *arguments).splitlines()[-1]
    return dict(json.loads(answer))


def _report(found: dict[str, Any]) -> Report:
    times = statistics.median(found["migrate"]) / statistics.median(found["replay"])
    times_first = statistics.median(found["first"]) / statistics.median(found["replay"])
    rows = [
        ["DDL replay (`create_tenant`)", *_spread(found["replay"]), "1"],
        ["the same, first of a process", *_spread(found["first"]), f"{times_first:.1f}"],
        ["Django's `migrate`", *_spread(found["migrate"]), f"{times:.1f}"],
    ]
    made = Table(
        "Making a dedicated schema",
        ["how", "schemas", "median", "least", "most", "times as long"],
        rows,
        "In random order, in one process; the firsts in one each, which connects and reads the kept"
        " statements as well. The goal is a median below 1,000 ms, for whichever process.",
    )
    differences = found["differences"]
    same = Table(
        "Are they the same?",
        ["compared", "differ"],
        [[f"{found['items']:,}", ", ".join(differences) or "none"]],
        "Tables with owners, switches and grants, columns with defaults, constraints, indexes,"
        " policies and triggers, each as PostgreSQL prints it.",
    )
    data = {**found, "ratio": times}
    return Report("provisioning", "What a dedicated schema costs to make", [made, same], data)


def _spread(seconds: Sequence[float]) -> list[str]:
    chosen = (statistics.median(seconds), min(seconds), max(seconds))
    return [str(len(seconds)), *(f"{value * 1000:.0f} ms" for value in chosen)]
