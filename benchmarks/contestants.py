"""Who takes part: a settings module, a database log-in, and a process of its own per run."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.installation import ROOT


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
            "PYTHONHASHSEED": "0",  # dictionaries alike in all: less luck, for everybody
            **self.variables,
        }


class Worker:
    """A contestant's running process."""

    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant
        self._process = subprocess.Popen(
            [contestant.python, "-m", "benchmarks.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=contestant.settled(),
        )

    def __call__(self, do: str, **order: Any) -> Any:
        """Have it done, and give the answer. Raises RuntimeError when the process has ended."""
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"do": do, **order}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.contestant.name} ended; its last words are above.")
        return json.loads(answer)

    def stop(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


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
