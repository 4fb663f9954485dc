"""What `benchmarks.backups` measures, in a process as a worker's: keys, log-ins, and little haste.

Answers on standard input: `open` makes the tenants, `tokens` gives their people fresh ones, `take`
takes a backup, `bare` reads the same rows and keeps none, `exchange` puts a backup back in two ways
and takes both back, `sums` tells what a tenant has, `forget` has the server keep no more WAL.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import django
import psycopg

django.setup()

from django.db import transaction  # noqa: E402 - needs the app registry
from psycopg import sql  # noqa: E402

from accounts.audit import past_walls  # noqa: E402
from backups import actions, catalogue, staging  # noqa: E402
from backups.platform import wal  # noqa: E402
from backups.storage import place  # noqa: E402
from backups.swapping import TRAIL, Place  # noqa: E402
from benchmarks.orders_process import Trader, opened, told  # noqa: E402
from config.embedded.installation import BACKUPS_NICENESS  # noqa: E402
from config.embedded.launch import give_way  # noqa: E402
from tenants.backend.routers import OWNER_ALIAS  # noqa: E402
from tenants.lifecycle.provisioning import owner_cursor  # noqa: E402
from tenants.models import Tenant  # noqa: E402
from tenants.moving import carrying  # noqa: E402
from tenants.moving.route import Route  # noqa: E402
from tests.cast import build_person, build_tenant, now  # noqa: E402
from tests.market import list_instrument  # noqa: E402

ALL = (UUID(int=0), UUID(int=2**128 - 1))  # ids
_CROWDS: dict[str, list[Trader]] = {}
_BY = "system:benchmark"


def main() -> None:
    os.setsid()  # as a program of `make up`: Linux weighs whole sessions
    give_way(BACKUPS_NICENESS)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(ANSWERS[asked.pop("do")](**asked)), flush=True)


def _open(*, others: int, clients: int, neighbours: int) -> dict[str, Any]:
    """One on shared tables and one on its own that are to be large, a small one, and others; the
    large one's clients, and one of each of some others."""
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    large, dedicated = build_tenant("pro"), build_tenant("enterprise")
    small, *rest = (build_tenant("starter") for _ in range(others + 1))
    people = [build_person(large, f"trader-{number}") for number in range(clients)]
    strangers = [build_person(tenant, "trader") for tenant in rest[:neighbours]]
    _CROWDS["own"] = [opened(person, market.symbol) for person in people]
    _CROWDS["others"] = [opened(person, market.symbol) for person in strangers]
    users = {p.tenant.id: p.user_id for p in (*people, *strangers)}
    named = {"large": [large], "dedicated": [dedicated], "small": [small], "rest": rest}
    seats = {
        name: [_seat(tenant, users.get(tenant.id, tenant.id)) for tenant in tenants]
        for name, tenants in named.items()
    }
    return {"symbol": market.symbol, "seats": seats}


def _seat(tenant: Tenant, user: UUID) -> dict[str, str]:
    return {
        "slug": tenant.slug,
        "schema": tenant.live_schema,
        "tenant": str(tenant.id),
        "user": str(user),
    }


def _tokens() -> dict[str, Any]:
    return {name: [told(trader) for trader in crowd] for name, crowd in _CROWDS.items()}


def _take(*, slug: str, is_kept: bool = False) -> dict[str, Any]:
    """Of the whole call; and the most memory that this process has had so far, in bytes."""
    tenant = Tenant.objects.get(slug=slug)
    began = time.perf_counter()
    taken = actions.take(tenant=tenant, reason="asked", by=_BY, now=now())
    seconds = time.perf_counter() - began
    if not is_kept:
        catalogue.remove(place.chosen(), tenant_id=tenant.id, backup_id=taken.id)
    said = {"seconds": seconds, "rows": taken.rows, "size": taken.size, "peak": _peak()}
    return {**said, "backup": str(taken.id)}


def _peak() -> int:
    """Not `getrusage`: what that tells was the parent's before."""
    status = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _bare(*, slug: str) -> dict[str, Any]:
    """By the backup's log-in and the same driver."""
    size = 0
    began = time.perf_counter()
    with past_walls.reading("public") as cursor:
        for statement in _statements(slug=slug):
            with cursor.copy(statement.encode()) as copied:
                for block in copied:
                    size += len(block)
    return {"seconds": time.perf_counter() - began, "size": size}


def _statements(*, slug: str) -> list[str]:
    """A bare COPY of each table's rows of the tenant."""
    tenant = Tenant.objects.get(slug=slug)
    return [
        sql.SQL("COPY (SELECT {} FROM {} WHERE tenant_id = {}) TO STDOUT")
        .format(
            sql.SQL(", ").join(map(sql.Identifier, table.columns[1:])),
            sql.Identifier(tenant.live_schema, table.name),
            sql.Literal(str(tenant.id)),
        )
        .as_string()
        for table in carrying.tables()
    ]


def _tables() -> list[str]:
    return [table.name for table in carrying.tables()]


def _sums(*, slug: str) -> dict[str, Any]:
    """Of each table but the trail's, which only grows; and the server's clock after it."""
    tenant = Tenant.objects.get(slug=slug)
    route = Route(tenant.id, tenant.live_schema, "")
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True) as database:
        found = {
            table.name: database.execute(
                route.checksum(table, tenant.live_schema).encode(), [tenant.id, *ALL]
            ).fetchone()
            for table in carrying.tables()
            if table.name not in TRAIL
        }
        ((at,),) = database.execute("SELECT clock_timestamp()").fetchall()
    return {"tables": found, "at": at.isoformat()}


def _exchange(*, slug: str, backup: str, rounds: int) -> list[dict[str, float]]:
    """Seconds of each way, in random order, from the same staged rows; nothing of it stays."""
    tenant, storage = Tenant.objects.get(slug=slug), place.chosen()
    here = Place(tenant.id, tenant.live_schema)
    ways: dict[str, Callable[[Any], object]] = {
        "compared": lambda cursor: _compare(cursor, here),
        "merged": here.put,
        "anew": lambda cursor: _put_anew(cursor, here),
    }
    entry = catalogue.of(storage, tenant_id=tenant.id, backup_id=UUID(backup))
    took = []
    with catalogue.reading(storage, entry) as reader, staging.staged(reader):
        for _ in range(rounds):
            order = random.sample(list(ways), len(ways))
            took.append({name: _taken_back(ways[name]) for name in order})
    return took


def _taken_back(act: Callable[[Any], object]) -> float:
    """Its seconds; and the tables are as tidy for the next as they were."""
    with owner_cursor() as cursor:
        began = time.perf_counter()
        act(cursor)
        seconds = time.perf_counter() - began
        transaction.set_rollback(True, using=OWNER_ALIAS)
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True) as database:
        database.execute(b"VACUUM (ANALYZE)")
    return seconds


def _compare(cursor: Any, here: Place) -> None:
    with carrying.as_mover(cursor):
        here.differences(cursor, carrying.tables())


def _put_anew(cursor: Any, here: Place) -> None:
    """Delete all, insert all, and look at nothing."""
    tables = [table for table in carrying.tables() if table.name not in TRAIL]
    with carrying.as_mover(cursor):
        for table in reversed(tables):
            live = sql.Identifier(here.schema, table.name)
            statement = sql.SQL("DELETE FROM {} WHERE tenant_id = %s").format(live)
            cursor.execute(statement, [here.tenant_id])
        for table in tables:
            statement = sql.SQL(
                "INSERT INTO {live} (tenant_id, {columns}) SELECT %s, {columns} FROM {staged}"
            ).format(
                live=sql.Identifier(here.schema, table.name),
                columns=sql.SQL(", ").join(map(sql.Identifier, table.columns[1:])),
                staged=sql.Identifier(staging.ROOM, staging.PREFIX + table.name),
            )
            cursor.execute(statement, [here.tenant_id])


def _forget() -> None:
    wal.forget()


ANSWERS: dict[str, Callable[..., Any]] = {
    "open": _open,
    "tokens": _tokens,
    "take": _take,
    "bare": _bare,
    "statements": _statements,
    "tables": _tables,
    "sums": _sums,
    "exchange": _exchange,
    "forget": _forget,
}


if __name__ == "__main__":
    main()
