"""Children that end, that hang, and that nobody is left to look after."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from config.embedded.guardian import Guardian
from config.embedded.joint_log import Console, JointLog
from config.embedded.supervisor import Program, Supervisor
from tests.config.embedded.conftest import eventually, working_in

_ENVIRONMENT = {"PATH": os.defpath}
_SUPERVISE = """
import asyncio, sys
from pathlib import Path
from tests.config.embedded.test_supervisor import family, supervising
with supervising(Path(sys.argv[1])) as supervisor:
    asyncio.run(supervisor.keep([family()]))
"""


class supervising:  # noqa: N801 - reads as a verb
    """A supervisor that works in a folder and logs into it."""

    def __init__(self, place: Path, *, grace: float = 5) -> None:
        self._place, self._grace = place, grace
        self._guardian = Guardian()

    def __enter__(self) -> Supervisor:
        self._pipe = os.pipe()
        self._console = Console(self._pipe[1])
        self._log = JointLog(self._place / "log", self._console)
        return Supervisor(
            directory=self._place, log=self._log, guardian=self._guardian, grace=self._grace
        )

    def __exit__(self, *_: object) -> None:
        self._log.close()
        self._console.close()
        self._guardian.close()
        for end in self._pipe:
            os.close(end)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with supervising(tmp_path, grace=0.5) as supervisor:
        yield supervisor


def _shell(script: str, name: str = "shell") -> Program:
    return Program(name=name, command=("sh", "-c", script), environment=_ENVIRONMENT)


def family() -> Program:
    """A parent and a child of it, both of which would stay for long."""
    return _shell("sleep 100 & sleep 100", "family")


async def _kept(supervisor: Supervisor, *programs: Program) -> asyncio.Task[None]:
    return asyncio.create_task(supervisor.keep(programs))


async def _until(place: Path, count: int) -> list[psutil.Process]:
    """The programs' processes, once there are that many."""
    async with asyncio.timeout(10):
        while len(found := _sleepers(place)) < count:
            await asyncio.sleep(0.05)
    return found


def _sleepers(place: Path) -> list[psutil.Process]:
    return [process for process in working_in(place) if process.name() == "sleep"]


async def test_run_once_returns_the_status_and_logs_the_lines(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    assert await supervisor.run_once(_shell("echo out; echo err >&2; exit 3")) == 3
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines] == ["shell     | out", "shell     | err"]


async def test_one_in_no_hurry_goes_behind_the_others(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    assert await supervisor.run_once(replace(_shell("nice"), niceness=3)) == 0
    assert (tmp_path / "log").read_text().split()[-1] == str(os.nice(0) + 3)


async def test_a_killed_child_is_started_again_and_its_group_is_gone(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    task = await _kept(supervisor, family())
    first = await _until(tmp_path, 2)
    parent = first[0].parent()
    assert parent is not None
    parent.kill()
    async with asyncio.timeout(10):
        while any(process.is_running() for process in first):
            await asyncio.sleep(0.05)
    assert len(await _until(tmp_path, 2)) == 2
    await _cancel(task)
    assert "ended by signal 9" in (tmp_path / "log").read_text()


async def test_cancelling_ends_the_deaf_and_the_grandchildren(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    deaf = _shell("trap '' TERM; sleep 100 & sleep 100; sleep 100", "deaf")
    task = await _kept(supervisor, family(), deaf)
    await _until(tmp_path, 4)
    await _cancel(task)
    assert working_in(tmp_path) == []


async def test_a_reader_that_stopped_reading_holds_up_nobody(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    flood = _shell("i=0; while [ $i -lt 9000 ]; do echo line $i of many; i=$((i+1)); done")
    assert await asyncio.wait_for(supervisor.run_once(flood, shown=True), timeout=10) == 0
    assert "line 8999" in (tmp_path / "log").read_text()


def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _SUPERVISE, str(tmp_path)]) as killed:
        assert eventually(lambda: len(_sleepers(tmp_path)) == 2)
        killed.send_signal(signal.SIGKILL)
    assert eventually(lambda: working_in(tmp_path) == [])


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
