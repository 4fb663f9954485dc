"""Both servers of one data folder, started together, and the addresses of their users."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from config.embedded.errors import EmbeddedError
from config.embedded.folder import DataFolder
from config.embedded.guardian import Guardian
from config.embedded.ports import LOOPBACK
from config.embedded.postgres import DATABASE, SUPERUSER, Postgres
from config.embedded.server import Server
from config.embedded.valkey import Valkey

Role = Literal["app", "owner", "backup", "superuser"]

USERS: dict[Role, str] = {
    "app": "bulkhead_app",
    "owner": "bulkhead_owner",
    "backup": "bulkhead_backup",
    "superuser": SUPERUSER,
}
VARIABLES: dict[Role, str] = {
    "app": "DATABASE_URL",
    "owner": "DATABASE_OWNER_URL",
    "backup": "DATABASE_BACKUP_URL",
    "superuser": "DATABASE_SUPERUSER_URL",
}
_GENERATED = ("SECRET_KEY", "TENANT_TICKET_SECRET", "BACKUP_KEYS", "METRICS_TOKEN")


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Where the servers are: embedded ones of the folder, or those the environment names."""

    folder: DataFolder
    # The environment of whoever starts or joins them; what it names is not embedded.
    given: Mapping[str, str]

    @property
    def embeds_postgres(self) -> bool:
        """Whether PostgreSQL is ours."""
        return not self.given.get("DATABASE_URL")

    @property
    def embeds_valkey(self) -> bool:
        """Whether Valkey is ours."""
        return not self.given.get("REDIS_URL")

    @property
    def redis_url(self) -> str:
        """Address of Valkey or Redis, password included."""
        if not self.embeds_valkey:
            return self.given["REDIS_URL"]
        return f"redis://:{self.folder.secret('valkey')}@{LOOPBACK}:{self._port('valkey')}/0"

    def dsn(self, role: Role) -> str:
        """A libpq URI; raises EmbeddedError when an outside database has none for the role."""
        if not self.embeds_postgres:
            if url := self.given.get(VARIABLES[role]):
                return url
            raise EmbeddedError(f"{VARIABLES[role]} is not set, but DATABASE_URL is.")
        user, port = USERS[role], self._port("postgres")
        return f"postgresql://{user}:{self.folder.secret(user)}@{LOOPBACK}:{port}/{DATABASE}"

    def environment(self) -> dict[str, str]:
        """The variables that the application reads to find the servers, and its secrets."""
        found = {"REDIS_URL": self.redis_url, "BULKHEAD_DATA_DIR": str(self.folder.path)}
        for role, variable in VARIABLES.items():
            if self.embeds_postgres or self.given.get(variable):
                found[variable] = self.dsn(role)
        if self.embeds_postgres:
            found["WAL_SPOOL"] = str(self.folder.spool)
        for name in _GENERATED:
            found[name] = self.given.get(name) or self.folder.secret(name)
        return found

    def _port(self, server: str) -> int:
        port = self.folder.port(server)
        if port is None:
            raise EmbeddedError(f"No {server} was ever started on {self.folder.path}.")
        return port


@dataclass(frozen=True, kw_only=True)
class RunningServers(Servers):
    """Those that this process started, and what ends them should it vanish."""

    guardian: Guardian
    started: list[Server] = field(default_factory=list)


def _unheard(title: str) -> None:
    """Nobody asked to hear of progress."""


@contextlib.contextmanager
def running(
    data_dir: Path,
    *,
    durable: bool = True,
    given: Mapping[str, str] | None = None,
    progress: Callable[[str], object] = _unheard,
) -> Iterator[RunningServers]:
    """Hold the data folder and serve from it until the block ends.

    Call it from the main thread: the servers end with the thread that started them.
    """
    folder = DataFolder(data_dir)
    folder.create()
    with contextlib.ExitStack() as stack:
        stack.enter_context(folder.held())
        folder.ensure_secrets()
        guardian = stack.enter_context(contextlib.closing(Guardian()))
        environ = os.environ if given is None else given
        servers = RunningServers(folder=folder, given=environ, guardian=guardian)
        for server in _wanted(servers, durable=durable):
            stack.callback(server.stop)
            server.start()
            servers.started.append(server)
            progress(server.title)
        yield servers


def joined(data_dir: Path, *, given: Mapping[str, str] | None = None) -> Servers | None:
    """The servers that another process runs on the folder; None when none does."""
    folder = DataFolder(data_dir)
    if folder.holder() is None:
        return None
    return Servers(folder=folder, given=os.environ if given is None else given)


def _wanted(servers: RunningServers, *, durable: bool) -> Iterator[Server]:
    if servers.embeds_postgres:
        yield Postgres(servers.folder, servers.guardian, durable=durable)
    if servers.embeds_valkey:
        yield Valkey(servers.folder, servers.guardian, durable=durable)
