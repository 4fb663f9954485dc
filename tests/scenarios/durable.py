"""An installation of a test's own, as durable as in production, whose servers are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from config.embedded.server import Server
from config.embedded.servers import RunningServers, running
from tests.scenarios.processes import ROOT, until


@contextmanager
def installed() -> Iterator[tuple[RunningServers, dict[str, str]]]:
    """Servers with roles and tables, and the environment of whoever uses them."""
    with TemporaryDirectory(prefix="bulkhead-kill-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with running(Path(folder) / "data", given={}) as servers:
            environment = {**os.environ, **servers.environment()}
            for command in ("provision_roles", "migrate"):
                subprocess.run(
                    [sys.executable, "manage.py", command],
                    cwd=ROOT,
                    env=environment,
                    check=True,
                    capture_output=True,
                )
            yield servers, environment


def kill_and_start(servers: RunningServers, kind: type[Server]) -> None:
    """The process that was started: a postmaster leaves its children orphans, and no checkpoint."""
    (server,) = (server for server in servers.started if isinstance(server, kind))
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: server.pid is None)
    server.start()
