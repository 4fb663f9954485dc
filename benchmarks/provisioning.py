"""What a dedicated schema costs to make, beside Django's own `migrate` of an empty one.

`python -m benchmarks provisioning`; takes about a minute.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.installation import installed, python
from benchmarks.report import Report, Table, publish


def run(*, quick: bool = False) -> None:
    replays, migrations = (5, 2) if quick else (50, 10)
    with installed() as installation:
        arguments = ("-m", "benchmarks.schemas", str(replays), str(migrations))
        found = json.loads(python(installation.environment, *arguments).splitlines()[-1])
        publish(_report(found), installation, keep=not quick)


def _report(found: dict[str, Any]) -> Report:
    times = statistics.median(found["migrate"]) / statistics.median(found["replay"])
    first = found["first"] * 1000
    rows = [
        ["DDL replay (`create_tenant`)", *_spread(found["replay"]), "1"],
        ["Django's `migrate`", *_spread(found["migrate"]), f"{times:.1f}"],
    ]
    made = Table(
        "Making a dedicated schema",
        ["how", "schemas", "median", "least", "most", "times as long"],
        rows,
        f"In random order, in one process. The first replay of a process compiles the migrations"
        f" as well: {first:.0f} ms. The goal is a median below 1,000 ms.",
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
