"""A canary in every text a person wrote: no one else's page, log, cache or message has it."""

from __future__ import annotations

import os

import redis
from django.core.cache import cache

from tenants.ownership import tenant_models
from tests import web
from tests.cast import job
from tests.guards.routes import api_routes
from tests.isolation.database import as_tenant, inside
from tests.isolation.test_strangers import path_of
from tests.isolation.world import World
from tests.web import Server

PAGES = sorted({path_of(r, "") for r in api_routes() if r.actions.get("get") == "list"})
PAGES += ["api/v1/portfolio/", "api/v1/auth/me/", "api/v1/dashboard/stats/"]
PAGES += [f"api/v1/portfolio/{page}" for page in ("history/", "pnl/", "pnl/?by=position")]


def test_the_canary_stands_in_every_table_that_takes_text(world: World) -> None:
    """Otherwise its absence elsewhere would mean little."""
    written = {"Account", "Order", "Position", "IdempotentRequest"}
    written |= {"DecisionLog", "NamedPortfolio"}
    for trader in world.traders:
        with inside(as_tenant(trader)) as cursor:
            found = set()
            for model in tenant_models():
                table = model._meta.db_table
                cursor.execute(
                    f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{trader.canary}%"]
                )
                if cursor.fetchone()[0]:  # type: ignore[index]
                    found.add(model.__name__)
        assert written <= found


def test_no_page_shows_anothers_canary(server: Server, world: World) -> None:
    for trader in world.traders:
        for page in PAGES:
            text = web.ask("GET", f"{server.url}/{page}", headers=trader.person.headers).text
            assert not [t for t in world.strangers_of(trader) if t.canary in text], page


def test_no_log_line_shows_a_canary(server: Server, world: World) -> None:
    """Logs are read by operators, who see no tenant's data."""
    for trader in world.traders:
        bad = {"account": trader.ids["Account"], "client_order_id": trader.canary}
        url = f"{server.url}/api/v1/orders/"
        assert web.ask("POST", url, json=bad, headers=trader.person.headers).status_code == 400
        named = {"name": trader.canary}
        url = f"{server.url}/api/v1/accounts/"
        assert web.ask("POST", url, json=named, headers=trader.person.headers).status_code == 409
    log = server.log.read_text()
    assert log
    assert not [trader for trader in world.traders if trader.canary in log]


def test_nothing_in_valkey_holds_a_canary_but_its_own_tenants_cache(world: World) -> None:
    for trader in world.traders:
        with job(trader.person.tenant):
            cache.set("canary", trader.canary)
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    for key in client.scan_iter(count=1000):
        kind = client.type(key)
        value = client.dump(key) if kind != b"string" else client.get(key)
        for trader in world.traders:
            if trader.canary.encode() in (value or b""):
                assert key.startswith(f"tenant:{trader.person.tenant.id}:".encode())
