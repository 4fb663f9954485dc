"""kill -9 of PostgreSQL, with a feed and a trader at work: nothing that was answered is lost.

Too long for the suite, for it needs an installation of its own: `make campaign` kills it
DATABASE_KILLS times.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from config.embedded.postgres import Postgres
from config.embedded.servers import RunningServers, running
from tests.scenarios.processes import ROOT, feeding, until

KILLS = int(os.environ.get("DATABASE_KILLS", "0"))
_TRADE = """
import django, sys
django.setup()
from tests.scenarios import elsewhere
elsewhere.main(sys.argv[1])
"""


@pytest.fixture
def servers() -> Iterator[RunningServers]:
    """An installation of the test's own, as durable as in production."""
    with TemporaryDirectory(prefix="bulkhead-kill-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with running(Path(folder) / "data", given={}) as servers:
            yield servers


@pytest.mark.skipif(not KILLS, reason="only in campaigns: DATABASE_KILLS says how often")
def test_a_database_killed_in_the_middle_of_matching_loses_and_doubles_nothing(
    servers: RunningServers, tmp_path: Path
) -> None:
    environment = {**os.environ, **servers.environment()}
    for command in ("provision_roles", "migrate"):
        subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
        )
    with trading(environment, tmp_path) as trader:
        assert trader.stdin is not None
        assert trader.stdout is not None
        prepared = json.loads(trader.stdout.readline())
        file, symbol = Path(prepared["file"]), prepared["symbol"]
        for _ in range(KILLS):
            before = fills(servers)
            feed = feeding(file, symbol, environment)
            until(lambda before=before: fills(servers) > before + 1)
            kill_and_start(servers)
            assert feed.wait(timeout=60) != 0
        assert feeding(file, symbol, environment).wait(timeout=120) == 0
        told, _ = trader.communicate(timeout=60)
    assert trader.returncode == 0
    counted = json.loads(told)
    sys.stdout.write(told)
    assert counted["answered"] > 20
    assert counted["fills"] > 20


def trading(environment: Mapping[str, str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _TRADE, str(folder)],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def fills(servers: RunningServers) -> int:
    """Of the tenants in `public`."""
    with psycopg.connect(servers.dsn("superuser")) as connection:
        row = connection.execute("SELECT count(*) FROM public.trading_fill").fetchone()
        return 0 if row is None else int(row[0])


def kill_and_start(servers: RunningServers) -> None:
    """The postmaster, which leaves its children orphans, and no checkpoint behind."""
    (postgres,) = (server for server in servers.started if isinstance(server, Postgres))
    assert postgres.pid is not None
    os.kill(postgres.pid, signal.SIGKILL)
    until(lambda: postgres.pid is None)
    postgres.start()
