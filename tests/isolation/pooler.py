"""PgBouncer in transaction mode in front of the run's PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tests import extras

UNPRIVILEGED = 65534


@contextlib.contextmanager
def pgbouncer(folder: Path, *, pool_size: int) -> Iterator[str]:
    """With so many server connections; gives the DSN of the application through it."""
    program = extras.program("pgbouncer")
    port = _free_port()
    with (folder / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(_configuration(folder, port, pool_size))],
            stdout=log,
            stderr=subprocess.STDOUT,
            user=UNPRIVILEGED if os.geteuid() == 0 else None,
        )
    try:
        _wait(port, process, folder)
        url = urlsplit(os.environ["DATABASE_URL"])
        yield f"postgresql://{url.username}:{url.password}@127.0.0.1:{port}{url.path}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _configuration(folder: Path, port: int, pool_size: int) -> Path:
    url = urlsplit(os.environ["DATABASE_URL"])
    users = folder / "users.txt"
    users.write_text(f'"{url.username}" "{url.password}"\n')
    config = folder / "pgbouncer.ini"
    config.write_text(
        "[databases]\n"
        f"{url.path[1:]} = host={url.hostname} port={url.port}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = scram-sha-256\nauth_file = {users}\n"
        f"pool_mode = transaction\ndefault_pool_size = {pool_size}\nmax_client_conn = 200\n"
        "query_wait_timeout = 60\n"
    )
    folder.chmod(0o755)
    for file in (users, config):
        file.chmod(0o644)
    return config


def _wait(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, (folder / "pgbouncer.log").read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise AssertionError("PgBouncer does not listen")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
