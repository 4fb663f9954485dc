"""A fleet of dedicated schemas: making them, asking what is to be done, migrating all of them.

`python -m benchmarks fleet`; 1,000 schemas on servers that write to the disk. Most of its time goes
to django-tenants' own `migrate_schemas`, on the same schemas and the same kind of migration.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.installation import Installation, installed, python
from benchmarks.report import Report, Table, publish
from tests.tenants.fleet.shipyard import Shipyard

SCHEMAS, QUICK = 1_000, 20
_CHECKS = 5
# One connection at a time: the pool would else take turns. Nothing ends the one that is kept, and
# in a short run one meets its bound all the same.
_ALONE = {"DATABASE_POOL_MAX": "1"}
_KEPT = {"DATABASE_SCHEMAS_PER_CONNECTION": "1000000", "DATABASE_POOL_LIFETIME": "86400"}
_SOON_CLOSED = {"DATABASE_SCHEMAS_PER_CONNECTION": "8"}
# What stock would otherwise do in each schema besides: a schema made by replay has no shared apps
# on its record.
_NOTE_SHARED = """
DO $$ DECLARE s text; BEGIN
    FOR s IN SELECT schema_name FROM tenants_tenant LOOP
        EXECUTE format('INSERT INTO %I.django_migrations (app, name, applied)
            SELECT app, name, applied FROM public.django_migrations p WHERE NOT EXISTS (
                SELECT FROM %I.django_migrations h WHERE h.app = p.app AND h.name = p.name)', s, s);
    END LOOP;
END $$
"""


def run(*, quick: bool = False) -> None:
    schemas = QUICK if quick else SCHEMAS
    with installed(durable=True) as installation, tempfile.TemporaryDirectory() as folder:
        yard = Shipyard(Path(folder))
        ours = {**installation.environment, **yard.environment, "LOG_LEVEL": "ERROR"}
        python(ours, "manage.py", "migrate")
        found = _measured(installation, ours, yard, schemas)
        publish(_report(found, schemas), installation, keep=not quick)


def _measured(
    installation: Installation, ours: Mapping[str, str], yard: Shipyard, schemas: int
) -> dict[str, Any]:
    stock = {**ours, "DJANGO_SETTINGS_MODULE": "benchmarks.rivals.stock_fleet"}
    found: dict[str, Any] = {"made": _told(ours, "provision", str(schemas))["seconds"]}
    found["check"] = [_took(ours, "--check") for _ in range(_CHECKS)]
    found["idle"] = [_took(ours) for _ in range(_CHECKS)]
    found["asked"] = _told(ours, "due")
    found["kept"] = _told({**ours, **_ALONE, **_KEPT}, "memory")
    as_delivered = _SOON_CLOSED if schemas == QUICK else {}
    found["bounded"] = _told({**ours, **_ALONE, **as_delivered}, "memory")
    for name, jobs in (("ours, 4 jobs", "4"), ("ours, 2 jobs", "2"), ("ours, 1 job", "1")):
        yard.add_column(f"by_{jobs}")
        found[name] = _took(ours, "--jobs", jobs)
    with installation.superuser() as database:
        database.execute(_NOTE_SHARED)
    for executor in ("standard", "multiprocessing"):
        yard.add_column(f"by_{executor}")
        found[f"stock, {executor}"] = _told(stock, "stock", executor)["seconds"]
    found["healed"] = _took(ours)  # the ledger learns what others did
    return found


def _took(environment: Mapping[str, str], *arguments: str) -> float:
    """Seconds of the whole command, Python's start and all."""
    started = time.perf_counter()
    python(environment, "manage.py", "migrate_fleet", *arguments, "--json")
    return time.perf_counter() - started


def _told(environment: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    told = python(environment, "-m", "benchmarks.fleet_process", *arguments)
    return dict(json.loads(told.splitlines()[-1]))


def _report(found: dict[str, Any], schemas: int) -> Report:
    made = found["made"]
    last = made[-max(1, schemas // 100) :]
    making = Table(
        "Making them, one after the other",
        ["schemas", "first", "median", "the last per cent, median", "the last"],
        [[f"{schemas:,}", *map(_ms, (made[0], _middle(made), _middle(last), made[-1]))]],
        "The goal is the last below one second.",
    )
    asking = Table(
        "Nothing to do",
        ["what", "median"],
        [
            ["`migrate_fleet --check`, from the start of Python", _ms(_middle(found["check"]))],
            ["`migrate_fleet`, likewise", _ms(_middle(found["idle"]))],
            [
                "of that, the first question, which reads the migrations",
                _ms(found["asked"]["first"]),
            ],
            ["the question again", _ms(found["asked"]["again"])],
        ],
        "One statement. The goal is one second.",
    )
    fastest = min(value for name, value in found.items() if name.startswith("ours"))
    ways = [name for name in found if name.startswith(("ours", "stock"))]
    adding = Table(
        "Adding a column to all",
        ["how", "seconds", "a schema", "times the fastest"],
        [
            [name, f"{found[name]:.1f}", _ms(found[name] / schemas), f"{found[name] / fastest:.1f}"]
            for name in ways
        ],
        "Each a migration of its own, on the same schemas, `public` included; ours from the start"
        " of Python. django-tenants' multiprocessing has two processes, as it comes. What it did,"
        f" the ledger learned in {found['healed']:.1f} s. The goal is two minutes for 1,000.",
    )
    tables = [making, asking, adding, _held(found["kept"], found["bounded"])]
    return Report("fleet", f"A fleet of {schemas:,} schemas", tables, found)


def _held(kept: dict[str, Any], bounded: dict[str, Any]) -> Table:
    served, bound = kept["sizes"][-1][0], bounded["bound"]
    rows = [["kept through all", f"{number:,}", _mib(size)] for number, size in kept["sizes"]]
    closed = f"closed after {bound}; the largest of {bounded['connections']} that served {served:,}"
    return Table(
        "Memory of a connection's server process",
        ["connection", "schemas it has served", "MiB (private)"],
        [
            *rows,
            ["made anew after it", "1", _mib(kept["anew"])],
            [closed, f"at most {bound}", _mib(bounded["largest"])],
        ],
        f"A read of each of {kept['tables']} tables in each schema. PostgreSQL keeps what it knows"
        " of a table for as long as the connection lives. What is kept through all has its bounds"
        " lifted; as delivered, `DATABASE_SCHEMAS_PER_CONNECTION` closes it, and"
        " `DATABASE_POOL_LIFETIME` whatever it has served.",
    )


def _middle(seconds: list[float]) -> float:
    return statistics.median(seconds)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f}"
