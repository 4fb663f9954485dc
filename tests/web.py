"""The application as users meet it: uvicorn in a process of its own, on a real socket."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from config.embedded.web import command

_ROOT = Path(__file__).resolve().parents[1]
_START_SECONDS = 30
_TRUST = ssl.create_default_context()  # takes longer than a request, and so is made once


@dataclass(frozen=True)
class Server:
    """Where it listens, and where it logs."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]


def client(**more: Any) -> httpx.Client:
    """A client without cookies or connections of another one."""
    return httpx.Client(verify=_TRUST, **more)


def ask(method: str, url: str, **more: Any) -> httpx.Response:
    """One request by a connection of its own."""
    return httpx.request(method, url, verify=_TRUST, **more)


@contextlib.contextmanager
def serve(processes: int = 1, **environment: str) -> Iterator[Server]:
    """A web with this run's servers; `environment` adds variables of its own."""
    port = _free_port()
    log = Path(os.environ["BULKHEAD_DATA_DIR"]) / f"web-{port}.log"
    address = ("--host", "127.0.0.1", "--port", str(port))
    quiet = ("--log-level", "warning", "--timeout-graceful-shutdown", "2")
    words = [sys.executable, "-m", *command(processes, *address, *quiet)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            words,
            cwd=_ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", process, log)
        yield Server(f"http://127.0.0.1:{port}", log, process)
    finally:
        process.terminate()
        process.wait(timeout=15)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(httpx.HTTPError):
            if ask("GET", url).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"the web process did not start:\n{log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
