"""What a server outlives: stops, kills, stale files, stolen ports, lost parents."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import redis

from config.embedded.servers import RunningServers, running
from tests.config.embedded.conftest import eventually, working_in

_HOLD = """
import sys, time
from pathlib import Path
from config.embedded.servers import running
with running(Path(sys.argv[1]), durable=False, given={}) as servers:
    print("ready", flush=True)
    time.sleep(60)
"""


def _write(servers: RunningServers) -> None:
    with psycopg.connect(servers.dsn("superuser")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with redis.Redis.from_url(servers.redis_url) as client:
        client.set("kept", 42)


def _read(servers: RunningServers) -> list[int]:
    with (
        psycopg.connect(servers.dsn("superuser")) as connection,
        redis.Redis.from_url(servers.redis_url) as client,
    ):
        row = connection.execute("SELECT answer FROM kept").fetchone()
        assert row is not None
        return [row[0], int(str(client.get("kept"), "ascii"))]


def test_data_and_ports_are_there_after_a_restart(place: Path) -> None:
    with running(place, given={}) as servers:
        _write(servers)
        before = servers.environment()
    assert working_in(place) == []
    with running(place, given={}) as servers:
        assert servers.environment() == before
        assert _read(servers) == [42, 42]


def test_a_killed_server_starts_again_on_a_stale_pid_file(place: Path) -> None:
    with running(place, given={}) as servers:
        _write(servers)
        for server in servers.started:
            assert server.pid is not None
            os.kill(server.pid, 9)
            assert eventually(lambda server=server: server.pid is None)
        # As after a reboot: the number in the file is a living process, and not PostgreSQL.
        stale = place / "postgres" / "postmaster.pid"
        stale.write_text(stale.read_text().replace(stale.read_text().split()[0], "1", 1))
        for server in servers.started:
            server.start()
        assert _read(servers) == [42, 42]


def test_a_port_somebody_else_took_is_given_up(place: Path) -> None:
    with running(place, durable=False, given={}) as servers:
        before = [server.port for server in servers.started]
    with (
        socket.create_server(("127.0.0.1", before[0])),
        running(place, durable=False, given={}) as servers,
    ):
        after = [server.port for server in servers.started]
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_servers_end_with_a_killed_parent_and_start_again_at_once(place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(place)], stdout=subprocess.PIPE, cwd=Path.cwd()
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        left = working_in(place)
        assert {"postgres", "valkey-server"} <= {process.name() for process in left}
        parent.kill()
    with running(place, durable=False, given={}):
        pass
    assert eventually(lambda: working_in(place) == [])
