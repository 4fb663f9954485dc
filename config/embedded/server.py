"""What PostgreSQL and Valkey have in common as child processes on a port of their own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from config.embedded import accounts, launch, leftovers, ports
from config.embedded.errors import EmbeddedError, ServerEndedError
from config.embedded.folder import DataFolder
from config.embedded.guardian import Guardian
from config.embedded.serverlog import ServerLog

# Crash recovery of a big database takes a while; a server that ended is noticed at once.
_READY_SECONDS = 120
# A killed server's children hold its memory for moments longer.
_PAUSES = (0.2, 0.5, 1, 2, 3)


class Server(ABC):
    """One server; start and stop may be called in any state."""

    name: ClassVar[str]
    title: ClassVar[str]
    program: ClassVar[str]
    # Tried in turn, each with the seconds it is given.
    farewell: ClassVar[tuple[tuple[signal.Signals, float], ...]]

    def __init__(self, folder: DataFolder, guardian: Guardian, *, durable: bool = True) -> None:
        self.folder = folder
        self.durable = durable
        self.home = folder.path / self.name
        self.log = ServerLog(folder.logs / f"{self.name}.log")
        self._guardian = guardian
        self._process: subprocess.Popen[bytes] | None = None
        self._port: int | None = None
        self._has_served = False

    @property
    def port(self) -> int:
        """The port the server listens on; raises EmbeddedError before the first start."""
        if self._port is None:
            raise EmbeddedError(f"{self.title} has not been started.")
        return self._port

    @property
    def pid(self) -> int | None:
        """The process, while it lives."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start, and return when it answers."""
        if self.pid is not None:
            return
        for pause in (*_PAUSES, None):
            try:
                self.prepare()
                self.launch()
                self.wait()
            except ServerEndedError:
                if pause is None:
                    raise
                time.sleep(pause)
            else:
                return

    def prepare(self) -> None:
        """See that no predecessor is left, that the files are there, and that the port is free."""
        if not leftovers.evict(self.program, self.home, self.farewell):
            raise EmbeddedError(f"An older {self.title} on {self.home} can't be ended.")
        self.prepare_files()
        # Whoever was given this run's address can't be told another.
        if not self._has_served:
            self._port = ports.choose(self.folder.port(self.name))
            self.folder.remember_port(self.name, self._port)

    def launch(self) -> None:
        """Start the process without waiting for it; it ends with the thread that calls this."""
        self._forget()
        stop = self.farewell[0][0]
        with self.log.open() as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own binaries
                self.launched(self.command(), stop=stop),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                cwd=self.home,
                start_new_session=True,
            )
        self._guardian.watch(self._process.pid, stop)
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
                stdin.write(self.standard_input())

    def wait(self) -> None:
        """Return when it answers; raises ServerEndedError when it ends instead."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            self.check()
            if self.answers():
                self._has_served = True
                return
            time.sleep(0.03)
        raise EmbeddedError(f"{self.title} gave no answer in {_READY_SECONDS} s: {self.log.path}")

    def check(self) -> None:
        """Raise, with the log's last words, when the process has ended."""
        if self.pid is not None:
            return
        words = self.log.last_words()
        if self._process and self._process.returncode == launch.REFUSED:
            raise EmbeddedError(words)
        raise ServerEndedError(f"{self.title} did not start; {self.log.path} says:\n{words}")

    def stop(self) -> None:
        """End the process, in order if it can, and wait until it has."""
        if self._process is None:
            return
        for number, seconds in self.farewell:
            if self._process.poll() is None:
                self._process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
                break
        self._forget()

    def launched(self, command: list[str], *, stop: signal.Signals = signal.SIGTERM) -> list[str]:
        """The command, wrapped to run as the servers' user and to end with this process."""
        wrapper = [sys.executable, "-I", "-S", launch.__file__]
        wrapper += ["--parent", str(os.getpid()), "--signal", str(int(stop))]
        if account := accounts.of_server(self.home):
            wrapper += ["--user", str(account.uid), str(account.gid)]
        for needed in (Path(command[0]), self.home):
            wrapper += ["--reach", str(needed)]
        return [*wrapper, "--", *command]

    def environment(self) -> dict[str, str]:
        """Little: PG… variables and the application's secrets are no business of a server."""
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.home)}

    def standard_input(self) -> bytes:
        """What the process reads at its start."""
        return b""

    def prepare_files(self) -> None:
        """Make the server's folder, and give it to the user the server runs as."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        accounts.hand_over(self.home, accounts.of_server(self.home))

    @abstractmethod
    def command(self) -> list[str]:
        """The server's command line."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves now."""

    def _forget(self) -> None:
        if self._process is not None:
            self._guardian.forget(self._process.pid)
            self._process = None
