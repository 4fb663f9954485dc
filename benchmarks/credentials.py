"""What it costs to know who asks: a token, the door, a key, and a session looked up instead.

`python -m benchmarks credentials`; takes about half a minute.
"""

from __future__ import annotations

import json
import statistics
from typing import Any

from benchmarks.installation import installed, python
from benchmarks.report import Report, Table, publish

TOKEN = "verify an access token for the first time"
NAMES = (
    TOKEN,
    "verify one that was seen before",
    "ask the door (Valkey: ended, locked, three buckets)",
    "look up an API key (PostgreSQL)",
    "look up the session of a token instead (PostgreSQL)",
)


def run(*, quick: bool = False) -> None:
    rounds = 50 if quick else 3_000
    with installed() as installation:
        arguments = ("-m", "benchmarks.credentials_process", str(rounds))
        found = json.loads(python(installation.environment, *arguments).splitlines()[-1])
        publish(_report(found), installation, keep=not quick)


def _report(found: dict[str, list[float]]) -> Report:
    medians = {name: statistics.median(found[name]) for name in NAMES}
    rows = [
        [name, f"{value * 1000:.3f} ms", f"{value / medians[TOKEN]:.1f}"]
        for name, value in medians.items()
    ]
    table = Table(
        "Knowing who asks",
        ["what", "median", "times a token"],
        rows,
        "In random order, in one process. A token takes no query; the goal is below 0.2 ms.",
    )
    data: dict[str, Any] = {"medians": medians}
    return Report("credentials", "What it costs to know who asks", [table], data)
