"""The web process as `make up` runs it, on an installation of the benchmarks."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator

import httpx

from benchmarks.installation import ROOT, Installation
from config.embedded import installation as embedded
from config.embedded import ports

_START_SECONDS = 60


@contextlib.contextmanager
def serving(installation: Installation, *, processes: int = 1) -> Iterator[int]:
    """So many processes of it; gives the port. What it logs goes into the installation's folder."""
    port = ports.choose(None)
    described = embedded.Installation(
        host=ports.LOOPBACK,
        port=port,
        data_dir=installation.folder / "data",
        is_demo=False,
        replays=False,
        web_processes=processes,
    )
    environment = {"PATH": os.defpath, **installation.environment}
    (web,) = (p for p in described.programs(environment) if p.name == "web")
    with (installation.folder / f"web-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            web.command, cwd=ROOT, env=dict(web.environment), stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=15)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://{ports.LOOPBACK}:{port}/healthz").status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    raise RuntimeError("The web process did not start; its log is in the installation's folder.")
