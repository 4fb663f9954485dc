"""Several processes behind one port: counted together, started again, and none left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from config.embedded import web as starting
from tests import web
from tests.cast import House
from tests.config.observing.scraped import TOKEN, read, value
from tests.scenarios.processes import until
from tests.web import Server

pytestmark = pytest.mark.by_turns

ROOT = Path(__file__).resolve().parents[2]
ASKED = 60


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Server]:
    own = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "METRICS_TOKEN": TOKEN}
    with web.serve(2, **own) as running:
        until(lambda: len(serving(running)) == 2)
        yield running


def serving(server: Server) -> list[psutil.Process]:
    """Those that answer; one more looks after what they share."""
    started = psutil.Process(server.process.pid).children()
    alive = [one for one in started if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in alive if "spawn_main" in " ".join(one.cmdline())]


def ask(server: Server, house: House, times: int, path: str = "/api/v1/accounts/") -> None:
    def once(_number: int) -> int:
        return web.ask("GET", f"{server.url}{path}", headers=house.alice.headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(once, range(times))) <= {200, 404}


def answered(server: Server) -> float:
    """As whichever of them tells that is asked."""
    who = {"Authorization": f"Bearer {TOKEN}"}
    told = web.ask("GET", f"{server.url}/metrics", headers=who)
    assert told.status_code == 200
    return value(read(told.text), "bulkhead_requests_total", route="account-list")


def test_they_count_together_and_go_on_when_one_is_killed(several: Server, house: House) -> None:
    first, second = serving(several)
    ask(several, house, ASKED)
    assert [answered(several) for _ in range(6)] == [ASKED] * 6
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: len(serving(several)) == 2 and first not in serving(several))
    assert second in serving(several)
    ask(several, house, ASKED)
    assert [answered(several) for _ in range(6)] == [2 * ASKED] * 6


def test_their_lines_stay_whole(several: Server, house: House) -> None:
    ask(several, house, ASKED, path=f"/api/v1/{'x' * 3_000}")
    lines = [line for line in several.log.read_text().splitlines() if "bulkhead.requests" in line]
    lines = [line for line in lines if "/xxx" in line]
    whole = re.compile(r"I bulkhead\.requests tenant=.* GET /api/v1/x{3000} 404 [0-9.]+ms")
    assert len(lines) == ASKED
    assert all(whole.fullmatch(line) for line in lines)


def test_all_of_them_end_when_they_are_asked_to(several: Server) -> None:
    those = psutil.Process(several.process.pid).children(recursive=True)
    several.process.send_signal(signal.SIGTERM)
    assert several.process.wait(timeout=20) in (0, -signal.SIGTERM)
    until(lambda: not [one for one in those if one.is_running()])


def started(**variables: str) -> tuple[int, list[str], str]:
    """Status and words of what the image runs, by a stand-in for the server."""
    found = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.M)
    words = json.loads(found[-1])
    assert words[0] == "python"
    ran = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout.splitlines(), ran.stderr


@pytest.fixture
def path(tmp_path: Path) -> str:
    stand_in = tmp_path / "uvicorn"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$WEB_PROCESSES" "$@"\n')
    stand_in.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.defpath}"


@pytest.mark.parametrize("number", ["1", "3"])
def test_the_image_starts_as_many_as_it_is_told(path: str, number: str) -> None:
    status, told, _ = started(PATH=path, WEB_PROCESSES=number)
    address = ["--host", "0.0.0.0", "--port", "8000", "--no-access-log"]  # noqa: S104 - its own
    command = starting.command(int(number), *address)
    assert (status, told) == (0, [number, *command[1:]])


def test_without_a_number_there_is_one_for_each_core_and_four_at_most(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert started(PATH=path, WEB_PROCESSES="")[1][0] == str(starting.processes({}))
    for cores, number in ((1, 1), (3, 3), (64, 4)):
        monkeypatch.setattr(starting, "_cores", lambda cores=cores: cores)
        assert starting.processes({}) == number


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5"])
def test_a_number_that_is_none_is_refused(path: str, number: str) -> None:
    status, told, said = started(PATH=path, WEB_PROCESSES=number)
    assert (status, told) == (1, [])
    assert "WEB_PROCESSES" in said


@pytest.mark.parametrize(
    ("processes", "given", "own"), [("1", "4", 4), ("2", "4", 2), ("4", "4", 2), ("4", "1", 1)]
)
def test_a_tenants_connections_are_those_of_all_of_them(
    processes: str, given: str, own: int
) -> None:
    look = "from django.conf import settings; print(settings.CONNECTIONS_PER_TENANT)"
    variables = {"WEB_PROCESSES": processes, "CONNECTIONS_PER_TENANT": given}
    ran = subprocess.run(
        [sys.executable, "-c", look],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(ran.stdout) == own
