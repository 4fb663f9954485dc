"""A throwaway installation: embedded servers, provisioned and migrated."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from config.embedded.servers import running

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Installation:
    """The environment of its processes, its server's log, and a folder that ends with it."""

    environment: Mapping[str, str]
    log: Path
    folder: Path

    def superuser(self, database: str | None = None) -> psycopg.Connection[tuple[object, ...]]:
        """A superuser's connection in autocommit mode; policies do not hold for it."""
        url = self.environment["DATABASE_SUPERUSER_URL"]
        return psycopg.connect(
            elsewhere(url, database=database) if database else url, autocommit=True
        )

    def log_in(self, role: str, *, database: str | None = None, port: int | None = None) -> str:
        """The URL of a role that has the superuser's password."""
        url = self.environment["DATABASE_SUPERUSER_URL"]
        return elsewhere(url, user=role, database=database, port=port)

    @property
    def password(self) -> str:
        return urlsplit(self.environment["DATABASE_SUPERUSER_URL"]).password or ""

    @property
    def port(self) -> int:
        return urlsplit(self.environment["DATABASE_URL"]).port or 5432


def elsewhere(
    url: str, *, user: str | None = None, database: str | None = None, port: int | None = None
) -> str:
    """The same URL with another user, database or port."""
    parts = urlsplit(url)
    where = f"{parts.hostname}:{port or parts.port}"
    who = f"{user or parts.username}:{parts.password}"
    path = f"/{database}" if database else parts.path
    return urlunsplit(parts._replace(netloc=f"{who}@{where}", path=path))


@contextlib.contextmanager
def installed(*, durable: bool = False) -> Iterator[Installation]:
    """Servers of this run alone: whatever DATABASE_URL says, nothing outside is touched.

    Those that are `durable` wait for the disk, as an installation's do.
    """
    with tempfile.TemporaryDirectory(prefix="bulkhead-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL may run as another user than this process
        with running(folder / "data", durable=durable, given={}) as servers:
            settings = {
                "DJANGO_SETTINGS_MODULE": "config.settings.local",
                "DEBUG": "off",
                # Who measures asks for more than a customer may.
                "ADDRESS_REQUESTS_PER_MINUTE": "100000000",
            }
            environment = {**servers.environment(), **settings}
            log = servers.folder.logs / "postgres.log"
            (servers.folder.path / "static").mkdir()  # WhiteNoise warns about a missing one
            made = Installation(environment, log, folder)
            for command in ("provision_roles", "migrate"):
                python(made.environment, "manage.py", command)
            with made.superuser() as connection:
                connection.execute(
                    "UPDATE tenants_plan SET requests_per_minute = 100000000,"
                    " concurrent_requests = 100000, server_ms_per_second = 1000000"
                )
            yield made


def python(environment: Mapping[str, str], *arguments: str, program: str = sys.executable) -> str:
    """Run Python in the project's root; gives what it printed. Raises RuntimeError."""
    ran = subprocess.run(
        [program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    if ran.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{ran.stdout}{ran.stderr}")
    return ran.stdout
