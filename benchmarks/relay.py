"""A TCP relay before the server that counts what clients send: messages, and turns of talk."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from config.embedded.ports import LOOPBACK

_CHUNK = 65_536
# The frontend's messages that carry a statement or end a group of them (protocol 3.0, §54.7).
NAMES = {
    b"Q": "Query",
    b"P": "Parse",
    b"B": "Bind",
    b"D": "Describe",
    b"E": "Execute",
    b"S": "Sync",
}


@dataclass
class Tally:
    """All connections together; a round trip begins where the client speaks after the server."""

    round_trips: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        with self.lock:
            self.round_trips = 0
            self.messages.clear()


class _Conversation:
    """One connection: who spoke last, and the client's bytes not yet understood."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._server_spoke_last = True
        self._is_started = False
        self._pending = b""

    def client_says(self, data: bytes) -> None:
        with self._tally.lock:
            if self._server_spoke_last:
                self._server_spoke_last = False
                self._tally.round_trips += 1
            self._pending += data
            while self._take_message():
                pass

    def server_says(self, _data: bytes) -> None:
        with self._tally.lock:
            self._server_spoke_last = True

    def _take_message(self) -> bool:
        """The first messages (SSL request, start-up) have no type byte, only a length."""
        kind = 1 if self._is_started else 0
        if len(self._pending) < kind + 4:
            return False
        end = kind + int.from_bytes(self._pending[kind : kind + 4])
        if len(self._pending) < end:
            return False
        if self._is_started:
            code = self._pending[:1]
            self._tally.messages[NAMES.get(code, code.decode("latin-1"))] += 1
        else:
            self._is_started = self._pending[4:6] == b"\0\3"  # protocol 3; SSL request is 1234
        self._pending = self._pending[end:]
        return True


@contextlib.contextmanager
def relay(port: int) -> Iterator[tuple[int, Tally]]:
    """Listen on a free port for the server on `port`; gives the port and the tally."""
    tally = Tally()
    with socket.create_server((LOOPBACK, 0)) as listener:
        threading.Thread(target=_accept, args=(listener, port, tally), daemon=True).start()
        yield listener.getsockname()[1], tally


def _accept(listener: socket.socket, port: int, tally: Tally) -> None:
    with contextlib.suppress(OSError):  # the listener is closed
        while True:
            client, _ = listener.accept()
            server = socket.create_connection((LOOPBACK, port))
            talk = _Conversation(tally)
            ways = ((client, server, talk.client_says), (server, client, talk.server_says))
            for source, target, heard in ways:
                threading.Thread(target=_carry, args=(source, target, heard), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket, heard: Callable[[bytes], None]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            heard(data)
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
