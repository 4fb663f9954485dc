"""Loopback ports for the embedded servers."""

import errno
import random
import socket

from config.embedded.errors import EmbeddedError

LOOPBACK = "127.0.0.1"
# Below what Linux (32768) and macOS (49152) hand to outgoing connections, so that a port we chose
# is not taken by somebody's client between two starts.
_RANGE = range(20_000, 32_000)
_TRIES = 50


def obstacle(port: int, host: str = LOOPBACK) -> str | None:
    """Why no server could listen on host and port now; None when one could."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            return "is taken by another program" if taken else f"can't be used: {error.strerror}"
    return None


def choose(preferred: int | None) -> int:
    """The preferred port when it is free, else another free one."""
    if preferred is not None and not obstacle(preferred):
        return preferred
    for port in random.sample(_RANGE, _TRIES):
        if not obstacle(port):
            return port
    raise EmbeddedError("No free port between 20000 and 31999 on 127.0.0.1.")
