"""A PostgreSQL 18 cluster in the data folder, served on loopback with passwords."""

import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from config.embedded import accounts, binaries, handing_over
from config.embedded.errors import EmbeddedError
from config.embedded.ports import LOOPBACK
from config.embedded.server import Server

DATABASE = "bulkhead"
SUPERUSER = "postgres"
_VERSION = "18"
_CONNECT_SECONDS = 5

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    # A schema for each dedicated tenant: a dump locks every table of every schema at once.
    "max_locks_per_transaction": "256",
    # Incremental base backups need the summaries from before the first of them.
    "summarize_wal": "on",
    # Nothing is kept of it before somebody says so: see `handing_over`.
    "archive_mode": "on",
    # Who may replicate may leave a slot behind: it keeps so much WAL and no more.
    "max_slot_wal_keep_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
}
# Only for one that is kept: WAL that fills no segment is handed over after so many seconds.
_DURABLE = {"archive_timeout": "300"}
# Only for a cluster that is thrown away: a crash of the machine would ruin it.
_THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# A process of the server keeps what a transaction needed for the next one: glibc would give it back
# to the kernel at each end, and fault it in again, page by page (mallopt(3); bytes).
_MALLOC = {"MALLOC_TRIM_THRESHOLD_": "8388608", "MALLOC_MMAP_THRESHOLD_": "4194304"}


class Postgres(Server):
    """The embedded PostgreSQL."""

    name = "postgres"
    title = "PostgreSQL"
    program = "postgres"
    # Fast shutdown, immediate shutdown, and the end.
    farewell = ((signal.SIGINT, 30), (signal.SIGQUIT, 5), (signal.SIGKILL, 5))

    def start(self) -> None:
        """Start, and return when it answers and has the application's database."""
        super().start()
        self._ensure_database()

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **_MALLOC}

    def command(self) -> list[str]:
        """The server with all its settings on the command line, so that none lingers in a file."""
        settings = _SETTINGS | (_DURABLE if self.durable else _THROWAWAY)
        settings |= {"port": str(self.port), "archive_command": handing_over.command(self._spool)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [str(binaries.postgres("postgres")), "-D", str(self.home), *options]

    def answers(self) -> bool:
        """Whether a superuser can connect; raises EmbeddedError when the password is refused."""
        try:
            self.connect("postgres").close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise EmbeddedError(
                    f"{self.folder.path}/secrets.json does not fit the database beside it; "
                    "bring back the one it was made with, or `make clean`."
                ) from error
            return False
        return True

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """A superuser's connection in autocommit mode."""
        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user=SUPERUSER,
            password=self.folder.secret(SUPERUSER),
            dbname=database,
            sslmode="disable",
            connect_timeout=_CONNECT_SECONDS,
            autocommit=True,
        )

    def prepare_files(self) -> None:
        """Make the cluster when there is none; clear the way for a start when there is."""
        super().prepare_files()
        self._spool.mkdir(mode=0o700, exist_ok=True)
        accounts.hand_over(self._spool, accounts.of_server(self.home))
        version = self.home / "PG_VERSION"
        if not version.exists():
            self._initialise()
        elif version.read_text().strip() != _VERSION:
            raise EmbeddedError(f"{self.home} is not of PostgreSQL {_VERSION}; `make clean`?")
        # No server of this folder lives; after a reboot the number in the file may be anybody's.
        (self.home / "postmaster.pid").unlink(missing_ok=True)

    @property
    def _spool(self) -> Path:
        return self.folder.spool

    def _ensure_database(self) -> None:
        with self.connect("postgres") as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
            if known.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _initialise(self) -> None:
        # Beside, then renamed: an interrupted initdb leaves no half cluster in the place.
        fresh = self.home.with_suffix(".new")
        password = self.home.with_suffix(".password")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password.touch(mode=0o600)
        password.write_text(self.folder.secret(SUPERUSER))
        try:
            for path in (fresh, password):
                accounts.hand_over(path, accounts.of_server(self.home))
            self._initdb(str(fresh), str(password))
        finally:
            password.unlink()
        fresh.rename(self.home)

    def _initdb(self, folder: str, password_file: str) -> None:
        command = [str(binaries.postgres("initdb")), "-D", folder, f"--username={SUPERUSER}"]
        command += [f"--pwfile={password_file}", "--auth=scram-sha-256", "--data-checksums"]
        command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        command += ["--builtin-locale=C.UTF-8", "--no-instructions"]
        with self.log.open() as log:
            done = subprocess.run(  # noqa: S603 - our own binary
                self.launched(command if self.durable else [*command, "--no-sync"]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                cwd=self.folder.path,
                check=False,
            )
        if done.returncode != 0:
            raise EmbeddedError(f"initdb failed:\n{self.log.last_words()}")
