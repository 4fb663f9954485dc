"""`make up`: servers, steps, programs, banner, and an orderly end."""

import asyncio
import contextlib
import http.client
import sys
import time
from collections.abc import Mapping

from config.embedded import banner, ports
from config.embedded.errors import EmbeddedError
from config.embedded.folder import DataFolder
from config.embedded.installation import PROJECT, Installation
from config.embedded.interruption import Interruption
from config.embedded.joint_log import Console, JointLog
from config.embedded.servers import RunningServers, running
from config.embedded.supervisor import Program, Supervisor

_PORT_SECONDS = 2.0
_PROBE_SECONDS, _PROBE_PAUSE = 2.0, 0.5
_PATIENCE_SECONDS = 60.0


class Up:
    """One run of an installation, from its first server to its last."""

    def __init__(self, installation: Installation, environ: Mapping[str, str]) -> None:
        self._installation = installation
        self._environ = environ
        self._began = self._lap = time.monotonic()
        self._interruption = Interruption()

    def run(self) -> int:
        """Run until a signal comes; returns the exit status."""
        self._interruption.listen()
        try:
            self._serve()
        except (asyncio.CancelledError, SystemExit):
            if not self._interruption.came:
                raise
        return 0

    def _serve(self) -> None:
        folder = DataFolder(self._installation.data_dir)
        self._refuse_taken(folder)
        folder.create()
        folder.clear_metrics()
        with contextlib.ExitStack() as stack:
            console = stack.enter_context(contextlib.closing(Console(sys.stdout.fileno())))
            log = JointLog(folder.logs / "bulkhead.log", console)
            stack.enter_context(contextlib.closing(log))
            self._log = log
            log.say(f"Bulkhead on {folder.path}")
            stack.callback(lambda: log.say("Bulkhead has stopped."))
            servers = stack.enter_context(
                running(folder.path, given=self._environ, progress=self._tell)
            )
            asyncio.run(self._supervise(servers))

    def _refuse_taken(self, folder: DataFolder) -> None:
        if folder.holder() is not None:
            raise folder.is_held()
        host, port = self._installation.host, self._installation.port
        # A run that was killed a moment ago may still be closing its connections.
        deadline = time.monotonic() + _PORT_SECONDS
        while obstacle := ports.obstacle(port, host):
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Port {port} on {host} {obstacle}. PORT names another.")
            time.sleep(0.1)

    async def _supervise(self, servers: RunningServers) -> None:
        with self._interruption.cancels_current_task(lambda: self._log.say("Stopping …")):
            environment = self._installation.environment(servers, environ=self._environ)
            guardian = servers.guardian
            supervisor = Supervisor(directory=PROJECT, log=self._log, guardian=guardian)
            for step in self._installation.steps(environment):
                await self._take(step, supervisor)
            programs = self._installation.programs(environment)
            async with asyncio.TaskGroup() as group:
                group.create_task(supervisor.keep(programs, servers.started))
                await self._announce()
                group.create_task(supervisor.keep(self._installation.later(environment)))

    async def _take(self, step: Program, supervisor: Supervisor) -> None:
        status = await supervisor.run_once(step)
        if status != 0:
            end = "\n".join(self._log.recent)
            raise EmbeddedError(f"{step.name} failed with status {status}:\n{end}")
        self._tell(step.name)

    async def _announce(self) -> None:
        warn_at = time.monotonic() + _PATIENCE_SECONDS
        while (status := await asyncio.to_thread(self._readiness)) != http.client.OK:
            if time.monotonic() > warn_at:
                self._log.say(f"Not ready yet: /readyz answers {status or 'nothing'}.")
                warn_at = time.monotonic() + _PATIENCE_SECONDS
            await asyncio.sleep(_PROBE_PAUSE)
        seconds = time.monotonic() - self._began
        for line in banner.lines(self._installation, log=self._log.path, seconds=seconds):
            self._log.say(line)

    def _readiness(self) -> int | None:
        host, port = self._installation.reachable_host, self._installation.port
        probe = http.client.HTTPConnection(host, port, timeout=_PROBE_SECONDS)
        with contextlib.closing(probe), contextlib.suppress(OSError, http.client.HTTPException):
            probe.request("GET", "/readyz")
            return probe.getresponse().status
        return None

    def _tell(self, title: str) -> None:
        now = time.monotonic()
        self._log.say(f"  {title:<18} {now - self._lap:5.1f} s")
        self._lap = now
