"""kill -9 of the command, of PostgreSQL and of Valkey in every phase of a move, beside a control.

Too long for the suite, for it needs an installation of its own: `make campaign` kills
MOVE_SERVER_KILLS times.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from config.embedded.postgres import Postgres
from config.embedded.servers import RunningServers
from config.embedded.valkey import Valkey
from tests.scenarios import durable
from tests.scenarios.processes import ROOT

KILLS = int(os.environ.get("MOVE_SERVER_KILLS", "0"))
_VICTIMS = (None, Postgres, Valkey)  # None is the command itself
_PHASES = 5
_WAYS = (("graduate_tenant", "enterprise"), ("demote_tenant", "pro"))
_TWINS = """
import django
django.setup()
from tests.tenants.moving import twins
twins.main()
"""


@pytest.mark.skipif(not KILLS, reason="only in campaigns: MOVE_SERVER_KILLS says how often")
def test_whatever_is_killed_the_tenant_has_what_its_twin_has() -> None:
    chance, cut_short = random.Random(5), 0
    with durable.installed() as (servers, environment), _twins(environment) as ask:
        slug = ask(None)["slug"]
        for number in range(KILLS):
            victim, phase = _VICTIMS[number % 3], number % _PHASES
            command, plan = _WAYS[number % 2]
            line = _line(command, slug, "--plan", plan)
            moving = _begun(line, environment, lines=phase)
            time.sleep(chance.uniform(0, 0.4))
            cut_short += moving.poll() is None
            if victim is None:
                moving.kill()
            else:
                durable.kill_and_start(servers, victim)
            moving.communicate(timeout=300)
            _finish(line, environment)
            told = ask("how are you?")
            assert told["differing"] == [], (number, victim, phase)
            assert _home(servers, slug) == plan
            sys.stdout.write(f"{number}: {victim}, phase {phase}, {told['rows']} rows each\n")
    assert cut_short > KILLS // 3


def _line(*words: str) -> list[str]:
    return [sys.executable, "manage.py", *words]


@contextmanager
def _twins(environment: Mapping[str, str]) -> Iterator[Any]:
    """Gives what asks them; with None it only listens."""
    twins = subprocess.Popen(
        [sys.executable, "-c", _TWINS],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert twins.stdin is not None
    assert twins.stdout is not None
    talk, answers = twins.stdin, twins.stdout

    def ask(question: str | None) -> dict[str, Any]:
        if question is not None:
            talk.write(question + "\n")
            talk.flush()
        return dict(json.loads(answers.readline()))

    try:
        yield ask
    finally:
        twins.communicate(timeout=60)


def _begun(line: list[str], environment: Mapping[str, str], *, lines: int) -> subprocess.Popen[str]:
    """The command once it has told of so many phases, or has ended."""
    moving = subprocess.Popen(
        line,
        cwd=ROOT,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert moving.stdout is not None
    if not lines:
        time.sleep(1.5)  # a process has to start, too
    for _ in range(lines):
        moving.stdout.readline()
    return moving


def _finish(line: list[str], environment: Mapping[str, str]) -> None:
    """The same command once more; it may be that nothing is left to do."""
    ended = subprocess.run(
        line, cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0 or "nothing_to_move" in ended.stderr, ended.stderr


def _home(servers: RunningServers, slug: str) -> str:
    with psycopg.connect(servers.dsn("superuser")) as database:
        query = "SELECT plan_id FROM tenants_tenant WHERE slug = %s"
        row = database.execute(query, [slug]).fetchone()
        return "" if row is None else str(row[0])
