"""Clients that hang up, and backends that die, while others go on."""

from __future__ import annotations

import random
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psutil

from tests import web
from tests.isolation.database import connected
from tests.isolation.world import Trader, World
from tests.web import Server


def hang_up(url: str, trader: Trader, after: float) -> None:
    """Send a request and close the connection before the answer can have come."""
    place = urlsplit(url)
    with socket.create_connection((str(place.hostname), int(place.port or 0))) as client:
        token = trader.person.headers["Authorization"]
        head = f"GET /api/v1/orders/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {token}\r\n\r\n"
        client.sendall(head.encode())
        client.settimeout(after)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def kill_backends_of(server: Server) -> None:
    """End what the web process has open at PostgreSQL, and nobody else's connections."""
    web = psutil.Process(server.process.pid)
    ports = [c.laddr.port for c in web.net_connections("inet4") if c.raddr]
    with connected("DATABASE_SUPERUSER_URL") as superuser:
        superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'bulkhead_app' AND client_port = ANY (%s)",
            [ports],
        )


def leaks(url: str, trader: Trader, world: World, *, may_fail: bool = False) -> list[str]:
    answer = web.ask("GET", f"{url}/api/v1/orders/", headers=trader.person.headers, timeout=30)
    if may_fail and answer.status_code == 503:
        assert answer.headers["Retry-After"]
        return []
    assert answer.status_code == 200, answer.text
    assert trader.canary in answer.text
    return [s for t in world.strangers_of(trader) for s in t.secrets if s in answer.text]


def test_requests_that_hang_up_leave_no_tenant_for_the_next(server: Server, world: World) -> None:
    dice = random.Random(5)

    def one(_: int) -> list[str]:
        if dice.random() < 0.5:
            hang_up(server.url, dice.choice(world.traders), dice.random() / 200)
            return []
        return leaks(server.url, dice.choice(world.traders), world)

    with ThreadPoolExecutor(12) as pool:
        assert not [leak for found in pool.map(one, range(300)) for leak in found]


def test_backends_that_are_killed_cost_a_503_and_no_leak(server: Server, world: World) -> None:
    dice = random.Random(6)

    def one(number: int) -> list[str]:
        if number % 20 == 0:
            kill_backends_of(server)
        return leaks(server.url, dice.choice(world.traders), world, may_fail=True)

    with ThreadPoolExecutor(6) as pool:
        assert not [leak for found in pool.map(one, range(200)) for leak in found]
