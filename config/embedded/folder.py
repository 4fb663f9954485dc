"""The data folder: who holds it, its secrets, its ports and its logs."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from config.embedded.errors import EmbeddedError

SECRETS = (
    "postgres",
    "bulkhead_app",
    "bulkhead_owner",
    "bulkhead_backup",
    "valkey",
    "SECRET_KEY",
    "TENANT_TICKET_SECRET",
    "BACKUP_KEYS",
    "METRICS_TOKEN",
)
_SECRET_BYTES = 32
_LOCK_TRIES = 10


class DataFolder:
    """One installation's files; everything the servers remember between two starts is in here."""

    def __init__(self, path: Path) -> None:
        # The kernel shows working directories resolved; leftovers are found by comparing them.
        self.path = path.expanduser().resolve()
        self.logs = self.path / "logs"
        self.metrics = self.path / "metrics"
        self.spool = self.path / "wal"

    def create(self) -> None:
        """Make the folder, private to its user; as root, passable for the servers' user."""
        mode = 0o711 if os.geteuid() == 0 else 0o700
        try:
            self.path.mkdir(mode=mode, parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise EmbeddedError(
                f"The data folder {self.path} can't be made ({error.strerror}); "
                "BULKHEAD_DATA_DIR names another place."
            ) from error

    def clear_metrics(self) -> None:
        """What an earlier run's processes have counted is over."""
        shutil.rmtree(self.metrics, ignore_errors=True)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder alone; whoever else tries is told who has it."""
        with self._open_lock() as file:
            if not _taken(file):
                raise self.is_held()
            file.seek(0)
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
            yield

    def holder(self) -> int | None:
        """The process that holds the folder, or None: the lock tells, not the number in it."""
        path = self.path / "lock"
        if not path.exists():
            return None
        with path.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0)
        return None

    def is_held(self) -> EmbeddedError:
        """What to tell those who come second."""
        return EmbeddedError(
            f"Bulkhead already runs on {self.path} (process {self.holder() or 'unknown'}); "
            "`make down` stops it, BULKHEAD_DATA_DIR names another folder."
        )

    def secret(self, name: str) -> str:
        """One of the generated secrets."""
        return self._read("secrets.json")[name]

    def ensure_secrets(self) -> None:
        """Generate what is missing, keep what is there."""
        kept = self._read("secrets.json")
        missing = {name: secrets.token_hex(_SECRET_BYTES) for name in SECRETS if name not in kept}
        if missing:
            self._write("secrets.json", kept | missing)

    def port(self, server: str) -> int | None:
        """The port this folder's server was last given."""
        port = self._read("ports.json").get(server)
        return None if port is None else int(port)

    def remember_port(self, server: str, port: int) -> None:
        """Keep the port for the next start, and for those who ask for a connection string."""
        if self.port(server) != port:
            self._write("ports.json", self._read("ports.json") | {server: str(port)})

    def _open_lock(self) -> IO[str]:
        try:
            return (self.path / "lock").open("a+")
        except PermissionError as error:
            raise EmbeddedError(
                f"The data folder {self.path} belongs to another user; run as that user, "
                "or name another folder with BULKHEAD_DATA_DIR."
            ) from error

    def _read(self, name: str) -> dict[str, str]:
        path = self.path / name
        if not path.exists():
            return {}
        content: dict[str, str] = json.loads(path.read_text())
        return content

    def _write(self, name: str, content: dict[str, str]) -> None:
        # Written beside and renamed: a reader, or a power cut, never meets half a file.
        fresh = self.path / f"{name}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file, indent=2)
        fresh.replace(self.path / name)


def _taken(file: IO[str]) -> bool:
    for _ in range(_LOCK_TRIES):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.05)  # holder() of another process holds a shared lock for an instant
    return False
