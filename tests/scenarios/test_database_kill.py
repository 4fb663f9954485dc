"""kill -9 of PostgreSQL, with a feed and a trader at work: nothing that was answered is lost.

Too long for the suite, for it needs an installation of its own: `make campaign` kills it
DATABASE_KILLS times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest

from config.embedded.postgres import Postgres
from config.embedded.servers import RunningServers
from tests.scenarios import durable
from tests.scenarios.processes import ROOT, feeding, until

KILLS = int(os.environ.get("DATABASE_KILLS", "0"))
_TRADE = """
import django, sys
django.setup()
from tests.scenarios import elsewhere
elsewhere.main(sys.argv[1])
"""


@pytest.mark.skipif(not KILLS, reason="only in campaigns: DATABASE_KILLS says how often")
def test_a_database_killed_in_the_middle_of_matching_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    with (
        durable.installed() as (servers, environment),
        trading(environment, tmp_path) as trader,
    ):
        assert trader.stdin is not None
        assert trader.stdout is not None
        prepared = json.loads(trader.stdout.readline())
        file, symbol = Path(prepared["file"]), prepared["symbol"]
        for _ in range(KILLS):
            before = fills(servers)
            feed = feeding(file, symbol, environment)
            until(lambda before=before: fills(servers) > before + 1)
            durable.kill_and_start(servers, Postgres)
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
