"""Valkey in the data folder, served on loopback with a password."""

import signal

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.embedded import binaries
from config.embedded.errors import EmbeddedError
from config.embedded.ports import LOOPBACK
from config.embedded.server import Server

_CONNECT_SECONDS = 2


class Valkey(Server):
    """The embedded Valkey."""

    name = "valkey"
    title = "Valkey"
    program = "valkey-server"
    farewell = ((signal.SIGTERM, 15), (signal.SIGKILL, 5))

    def command(self) -> list[str]:
        """The server, which reads its configuration from standard input."""
        return [str(binaries.valkey("valkey-server")), "-"]

    def standard_input(self) -> bytes:
        """The configuration: not on the command line, where others could read the password."""
        settings = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "requirepass": self.folder.secret("valkey"),
            "dir": ".",
            # The append-only file is the one copy on disk; snapshots beside it add nothing.
            "save": '""',
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            # It carries the task queue: better to refuse a write than to forget a task.
            "maxmemory-policy": "noeviction",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items()).encode()

    def answers(self) -> bool:
        """Whether it has loaded its data; raises EmbeddedError when the password is refused."""
        client = redis.Redis(
            host=LOOPBACK,
            port=self.port,
            password=self.folder.secret("valkey"),
            socket_timeout=_CONNECT_SECONDS,
            socket_connect_timeout=_CONNECT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        with client:
            try:
                client.ping()
            except redis.AuthenticationError as error:
                raise EmbeddedError(f"Somebody else answers on {self.title}'s port.") from error
            except (redis.ConnectionError, redis.TimeoutError):
                return False
        return True
