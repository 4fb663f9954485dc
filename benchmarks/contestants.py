"""Who takes part: a settings module, a database log-in, and a process of its own per run."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from benchmarks.processes import Answering


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to keep tenants apart; `dsn` is a database URL, `host` a pattern of `{tenant}`."""

    name: str
    settings: str
    dsn: str
    environment: Mapping[str, str]
    python: str = sys.executable
    host: str = "localhost"
    variables: Mapping[str, str] = field(default_factory=dict)

    def settled(self) -> dict[str, str]:
        """The environment of its process: nothing of it depends on the machine's own."""
        return {
            **self.environment,
            "DJANGO_SETTINGS_MODULE": self.settings,
            "DATABASE_URL": self.dsn,
            "DATABASE_OWNER_URL": "",
            "PATH": os.defpath,
            **self.variables,
        }


class Worker(Answering):
    """A contestant's running process."""

    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant
        command = [contestant.python, "-m", "benchmarks.worker"]
        super().__init__(contestant.name, command, contestant.settled())


@contextlib.contextmanager
def started(contestants: Iterable[Contestant]) -> Iterator[list[Worker]]:
    """Fresh processes of all of them, ended with the block."""
    with contextlib.ExitStack() as stack:
        workers = []
        for contestant in contestants:
            worker = Worker(contestant)
            stack.callback(worker.stop)
            workers.append(worker)
        yield workers
