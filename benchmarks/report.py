"""Results on paper: a JSON file with every number, and a table with the ratios."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.installation import Installation
from benchmarks.race import Spread

RESULTS = Path(__file__).resolve().parent / "results"
_PACKAGES = ("Django", "djangorestframework", "psycopg", "django-tenants")


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; a note below says how to read it."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def __str__(self) -> str:
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n\n".join(part for part in (f"## {self.title}", text, self.note) if part)


@dataclass(frozen=True, slots=True)
class Report:
    name: str
    heading: str
    tables: Sequence[Table]
    data: dict[str, Any]

    def text(self, facts: dict[str, Any]) -> str:
        made = ", ".join(f"{what} {value}" for what, value in facts.items() if what != "command")
        head = f"# {self.heading}\n\nMade by `{facts['command']}` with {made}."
        return "\n\n".join([head, *map(str, self.tables)]) + "\n"


def publish(report: Report, installation: Installation | None, *, keep: bool) -> None:
    """Print it; and keep it under `results/`, unless it was a small run.

    Without an installation what was measured needed none, and no packages of the project's.
    """
    facts = _facts(report.name, installation)
    text = report.text(facts)
    print(text)
    if keep:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{report.name}.md").write_text(text)
        document = {"facts": facts, **report.data}
        (RESULTS / f"{report.name}.json").write_text(json.dumps(document, indent=1) + "\n")


def ratio(spread: Spread) -> str:
    """The median of all batches, and the outermost two."""
    return f"{spread.median:.3f} ({spread.least:.3f} to {spread.most:.3f})"


def estimate(spread: Spread) -> str:
    """The median of all batches, and between which two it lies in 95 of 100 cases."""
    return f"{spread.median:.3f} ({spread.low:.3f} to {spread.high:.3f})"


def milliseconds(value: float) -> str:
    return f"{value:.3f} ms" if value < 10 else f"{value:.1f} ms"


def _facts(name: str, installation: Installation | None) -> dict[str, Any]:
    used = {} if installation is None else _used(installation)
    return {
        "command": f"python -m benchmarks {name}",
        "Python": platform.python_version(),
        **used,
        "cores": os.cpu_count(),
        "on": datetime.now(UTC).date().isoformat(),
    }


def _used(installation: Installation) -> dict[str, str]:
    """The database and the packages under what was measured, with their versions."""
    with installation.superuser() as connection:
        ((version,),) = connection.execute("SHOW server_version").fetchall()
    packages = {package: importlib.metadata.version(package) for package in _PACKAGES}
    return {"PostgreSQL": str(version).split()[0], **packages}
