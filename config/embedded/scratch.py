"""A server for a while, on files that somebody has laid out; it and they are gone afterwards."""

import contextlib
import fcntl
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from config.embedded import accounts, binaries, leftovers
from config.embedded.folder import DataFolder
from config.embedded.guardian import Guardian
from config.embedded.postgres import Postgres
from config.embedded.server import Server

CONFIGURATION = "scratch.conf"


class Scratch(Server):
    """PostgreSQL on the files in `postgres`, as `scratch.conf` beside them says, and not otherwise:
    no port, no password, no database is made."""

    name = "postgres"
    title = "The scratch server"
    program = "postgres"
    farewell = Postgres.farewell

    def prepare(self) -> None:
        """Give all of the room to the user that the server runs as."""
        accounts.hand_over(self.folder.path, accounts.of_server(self.home))

    def command(self) -> list[str]:
        """The server, with a configuration of its own in place of the one among its files."""
        configuration = f"config_file={self.folder.path / CONFIGURATION}"
        return [str(binaries.postgres("postgres")), "-D", str(self.home), "-c", configuration]

    def answers(self) -> bool:
        """Its maker asks it."""
        return self.pid is not None

    def last_words(self) -> str:
        """What it said since it was started, at the end."""
        return self.log.last_words()


@contextlib.contextmanager
def room(parent: Path) -> Iterator[Path]:
    """A folder that goes with the block. One that a killed process left goes now, with the server
    that may still run on it."""
    DataFolder(parent.parent).create()  # which may be to come
    parent.mkdir(mode=0o711, exist_ok=True)
    with contextlib.ExitStack() as stack:
        with (parent / "lock").open("a") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            _clear(parent)
            folder = DataFolder(parent / secrets.token_hex(4))
            folder.create()
            stack.callback(shutil.rmtree, folder.path, ignore_errors=True)
            stack.enter_context(folder.held())
        yield folder.path


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Scratch]:
    """The server in a room; it ends with the block, with this process, and with this thread."""
    with contextlib.closing(Guardian()) as guardian:
        server = Scratch(DataFolder(folder), guardian)
        try:
            server.prepare()
            server.launch()
            yield server
        finally:
            server.stop()


def _clear(parent: Path) -> None:
    for path in parent.iterdir():
        if path.is_dir() and DataFolder(path).holder() is None:
            leftovers.evict(Scratch.program, path / Scratch.name, Scratch.farewell)
            shutil.rmtree(path, ignore_errors=True)
