"""The tenants of `benchmarks.graduation`: one that is to move, with many rows, and its neighbours.

Answers on standard input: `open` makes them, `bare` measures an `INSERT … SELECT` of the rows into
tables like a schema's, `check` tells whether orders were lost or doubled.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any
from uuid import UUID

import django
import psycopg

django.setup()

from benchmarks.orders_process import opened, told  # noqa: E402 - needs the app registry
from tenants.models import Tenant  # noqa: E402
from tenants.moving import carrying  # noqa: E402
from tenants.moving.route import Route  # noqa: E402
from tests.cast import build_person, build_tenant  # noqa: E402
from tests.market import list_instrument  # noqa: E402

ALL = (UUID(int=0), UUID(int=2**128 - 1))  # ids
# Copies of the mover's first order, each in its own place.
_ORDERS = """
INSERT INTO trading_order SELECT r.* FROM trading_order o, generate_series(1, %s) n,
    LATERAL jsonb_populate_record(NULL::trading_order, to_jsonb(o) || jsonb_build_object(
        'id', gen_random_uuid(), 'client_order_id', gen_random_uuid()::text, 'status', 'canceled',
        'locked', 0, 'created_at', o.created_at - n * interval '1 second')) r
 WHERE o.id = %s
"""
_EXISTS = "SELECT pg_catalog.to_regclass(%s) IS NOT NULL"


def main() -> None:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(ANSWERS[asked.pop("do")](market.symbol, **asked)), flush=True)


def _open(symbol: str, *, rows: int, clients: int, neighbours: int) -> dict[str, Any]:
    mover = build_tenant("pro")
    others = [build_tenant("starter") for _ in range(neighbours)]
    people = [build_person(mover, f"trader-{n}") for n in range(clients)]
    movers = [opened(person, symbol) for person in people]
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True) as database:
        database.execute("SET session_replication_role = replica")
        database.execute(_ORDERS, [rows, movers[0].order])
        database.execute("ANALYZE trading_order")
    strangers = [opened(build_person(other, "trader"), symbol) for other in others]
    made = {"movers": movers, "neighbours": strangers}
    crowds = {name: [told(trader) for trader in crowd] for name, crowd in made.items()}
    return {"symbol": symbol, "slug": mover.slug, **crowds}


def _bare(_symbol: str, *, slug: str) -> dict[str, float]:
    """Into empty tables with the same columns and indexes; rolled back."""
    tenant = Tenant.objects.get(slug=slug)
    route = Route(tenant.id, tenant.live_schema, "bare")
    rows = 0
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"]) as database:
        database.execute("CREATE SCHEMA bare")
        for table in carrying.tables():
            like = (
                f"CREATE TABLE bare.{table.name} (LIKE {route.source}.{table.name} INCLUDING ALL)"
            )
            database.execute(like.encode())
        started = time.perf_counter()
        for table in carrying.tables():
            rows += database.execute(route.copy(table).encode(), [tenant.id, *ALL]).rowcount
        took = time.perf_counter() - started
        database.rollback()
    return {"rows": rows, "seconds": took}


def _check(
    _symbol: str,
    *,
    slug: str,
    made: int,
    placed: list[str],
    canceled: list[str],
    others: list[str],
) -> dict[str, int]:
    """How many of the orders that clients were told of are there; how many more there are than were
    `made` and placed; and how many of the tenant's are where it does not live."""
    tenant = Tenant.objects.get(slug=slug)
    home, away = tenant.live_schema, {"public", str(tenant.schema_name)} - {tenant.live_schema}
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"]) as database:
        told = {"tenant": tenant.id, "placed": placed, "canceled": canceled, "others": others}

        def count(schema: str, which: str) -> int:
            query = f'SELECT count(*) FROM "{schema}".trading_order WHERE {which}'
            ((rows,),) = database.execute(query.encode(), told).fetchall()
            return int(rows)

        (there,) = away
        database.execute("SET search_path = pg_catalog")
        (stands,) = database.execute(_EXISTS, [f'"{there}".trading_order']).fetchone() or (None,)
        own = "tenant_id = %(tenant)s"
        return {
            "placed": len(placed),
            "found": count(home, f"{own} AND id = ANY (%(placed)s::uuid[])"),
            "canceled": len(canceled),
            "canceled_found": count(
                home, f"{own} AND status = 'canceled' AND id = ANY (%(canceled)s::uuid[])"
            ),
            "more": count(home, own) - made - len(placed),
            "elsewhere": count(there, own) if stands else 0,
            "others": len(others),
            "others_found": count("public", "id = ANY (%(others)s::uuid[])"),
        }


ANSWERS = {"open": _open, "bare": _bare, "check": _check}


if __name__ == "__main__":
    main()
