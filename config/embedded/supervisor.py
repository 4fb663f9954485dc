"""Child processes under one roof: logged together, restarted when they end, none left behind."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.embedded import launch
from config.embedded.errors import EmbeddedError
from config.embedded.guardian import Guardian
from config.embedded.joint_log import JointLog
from config.embedded.server import Server

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
# One that lived this long was well; its next end is a new story, not the same fault again.
_WELL_SECONDS = 60.0
_CHUNK_BYTES = 65_536
_SERVER_CHECK_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Program:
    """A command, its environment, and the name its lines are logged under; the higher its niceness,
    the more of a busy machine it leaves to the others (`nice`(1))."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    niceness: int = 0


class Supervisor:
    """Runs programs until its task is cancelled, and then ends them all."""

    def __init__(
        self,
        *,
        directory: Path,
        log: JointLog,
        guardian: Guardian,
        grace: float = 10.0,
    ) -> None:
        self._directory = directory
        self._log = log
        self._guardian = guardian
        self._grace = grace

    async def run_once(self, program: Program, *, shown: bool = False) -> int:
        """Run a program to its end; its lines are in the file. Returns its exit status."""
        process = await self._spawn(program)
        reading = asyncio.create_task(self._read(program.name, process, shown=shown))
        try:
            return await _exit_status(process)
        finally:
            await self._end(process)
            # Whoever left the group with our pipe in hand is not waited for.
            await asyncio.wait([reading], timeout=1)
            reading.cancel()

    async def keep(self, programs: Sequence[Program], servers: Sequence[Server] = ()) -> None:
        """Keep programs and servers running, whatever ends, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for program in programs:
                group.create_task(self._keep(program))
            for server in servers:
                group.create_task(self._keep_server(server))

    async def _keep(self, program: Program) -> None:
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            status = await self.run_once(program, shown=True)
            if time.monotonic() - began > _WELL_SECONDS:
                pause = _FIRST_PAUSE
            self._log.line(program.name, f"{_ending(status)}; starts again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _keep_server(self, server: Server) -> None:
        pause = _FIRST_PAUSE
        while True:
            await asyncio.sleep(_SERVER_CHECK_SECONDS)
            if server.pid is not None:
                continue
            self._log.line(server.name, f"{server.title} ended; starting it again")
            try:
                await self._revive(server)
                pause = _FIRST_PAUSE
            except EmbeddedError as error:
                self._log.line(server.name, str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _revive(self, server: Server) -> None:
        # In steps: only the waiting is for a thread, since a server ends with its starting thread.
        await asyncio.to_thread(server.prepare)
        server.launch()
        while not await asyncio.to_thread(server.answers):
            server.check()
            await asyncio.sleep(0.1)
        self._log.line(server.name, f"{server.title} serves again")

    async def _spawn(self, program: Program) -> asyncio.subprocess.Process:
        wrapper = [sys.executable, "-I", "-S", launch.__file__, "--parent", str(os.getpid())]
        wrapper += ["--nice", str(program.niceness), "--"]
        process = await asyncio.create_subprocess_exec(
            *wrapper,
            *program.command,
            cwd=self._directory,
            env={**program.environment, "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._guardian.watch(process.pid)
        return process

    async def _read(self, name: str, process: asyncio.subprocess.Process, *, shown: bool) -> None:
        stream, rest = process.stdout, b""
        while stream and (chunk := await stream.read(_CHUNK_BYTES)):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _CHUNK_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._note(name, line, shown=shown)
        self._note(name, rest, shown=shown)

    def _note(self, name: str, line: bytes, *, shown: bool) -> None:
        if text := line.decode(errors="replace").rstrip():
            self._log.line(name, text, shown=shown)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Ask the program to end, and make whoever of its group is left."""
        # Only the first process is asked: Celery's lets its pool finish tasks, which a SIGTERM to
        # the pool itself would cut off.
        if process.returncode is None:
            process.terminate()
        # Not asyncio.timeout(): early 3.11 loses it in a task being cancelled (gh-102780).
        deadline = time.monotonic() + self._grace
        while process.returncode is None and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        # macOS answers EPERM for a group of which only the dead are left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await _exit_status(process)
        self._guardian.forget(process.pid)


async def _exit_status(process: asyncio.subprocess.Process) -> int:
    # Some versions' wait() also waits for the pipe to close, which a grandchild may hold open.
    while process.returncode is None:
        await asyncio.sleep(0.05)
    return process.returncode


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by signal {-status} ({signal.strsignal(-status)})"
