"""Two tenants that do the same, one of which is moved: a process of its own, whose servers die.

Says their names, one line of JSON; then has both place the same orders, again and again. For each
line on standard input it says whether the two have the same to their names, and how much.
"""

from __future__ import annotations

import json
import logging
import os
import re
import select
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg

from tenants.models import Tenant
from tenants.moving import carrying
from tests.cast import House, build_house, job
from tests.market import Market, list_instrument
from tests.tenants.moving.movers import trade
from tests.trading import books

BALLAST = 20_000  # orders, so that a phase takes its time
_PAUSE = 0.02  # seconds
_OWN = re.compile(  # what two tenants that did the same do not have in common
    r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,}|\d{4}-\d\d-\d\dT[0-9:.+Z]+"
)
_COPIES = """
INSERT INTO trading_order SELECT r.* FROM trading_order o, generate_series(1, %s) n,
    LATERAL jsonb_populate_record(NULL::trading_order, to_jsonb(o) || jsonb_build_object(
        'id', gen_random_uuid(), 'client_order_id', 'ballast-' || n, 'status', 'canceled',
        'locked', 0, 'created_at', o.created_at - n * interval '1 second')) r
 WHERE o.id = (SELECT id FROM trading_order WHERE account_id = %s AND status = 'accepted' LIMIT 1)
"""


@dataclass(frozen=True)
class Twin:
    house: House
    account: str


def main() -> None:
    logging.disable(logging.CRITICAL)  # the logs go to standard output too
    with _superuser() as database:
        database.execute("UPDATE tenants_plan SET requests_per_minute = 10000000")
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    twins = [_twin(market) for _ in range(2)]
    market.print_bar(open="100", high="101", low="99", close="100")  # which both have met
    _say({"slug": twins[0].house.tenant.slug})
    for number in count():
        for twin in twins:
            _place(twin, market, number)
        if select.select([sys.stdin], [], [], _PAUSE)[0]:
            if not sys.stdin.readline():
                return
            _say(_compared(twins))


def _twin(market: Market) -> Twin:
    house = build_house("pro")
    account = trade(house.alice, market)
    with _superuser() as database:
        database.execute("SET session_replication_role = replica")
        database.execute(_COPIES, [BALLAST, account])
        database.execute("ANALYZE trading_order")
    return Twin(house, account)


def _place(twin: Twin, market: Market, number: int) -> None:
    """One order, and every other one is taken back; asked until the answer comes."""
    body = {"account": twin.account, "instrument": market.symbol, "side": "buy", "type": "limit"}
    body |= {"quantity": "0.01", "limit_price": "60", "client_order_id": f"order-{number}"}
    placed = _until_answered(twin, "POST", "orders/", body)
    if number % 2:
        _until_answered(twin, "DELETE", f"orders/{placed['id']}/")


def _until_answered(twin: Twin, method: str, path: str, body: Any = None) -> dict[str, Any]:
    while (answer := twin.house.alice.request(method, path, body)).status_code >= 400:
        assert answer.status_code == 503 or b"not_cancelable" in answer.content, answer.content
        if answer.status_code != 503:
            return {}
        select.select([], [], [], _PAUSE)
    return dict(answer.json())


def _compared(twins: list[Twin]) -> dict[str, Any]:
    """Every row of every table, but for ids, times and names; and the books of both."""
    mover, control = (_content(twin) for twin in twins)
    for twin in twins:
        with job(twin.house.tenant):
            books.check(twin.account)
    differing = {name for name in mover if mover[name] != control[name]}
    return {"differing": sorted(differing), "rows": sum(c.total() for c in mover.values())}


def _content(twin: Twin) -> dict[str, Counter[str]]:
    tenant = Tenant.objects.get(pk=twin.house.tenant.pk)
    found = {}
    with _superuser() as database:
        for table in carrying.tables():
            name = f'"{tenant.live_schema}"."{table.name}"'
            query = f"SELECT to_jsonb(t)::text FROM {name} t WHERE tenant_id = %s"
            rows = database.execute(query.encode(), [tenant.id])
            found[table.name] = Counter(
                _OWN.sub("…", text.replace(tenant.slug, "…")) for (text,) in rows
            )
    return found


def _superuser() -> psycopg.Connection:
    return psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True)


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
