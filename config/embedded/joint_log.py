"""One readable log of all processes: on the terminal, and in a rotating file."""

import collections
import contextlib
import errno
import logging
import os
import queue
import signal
import threading
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

_FILE_BYTES, _FILES_KEPT = 10_000_000, 5
_NAME_WIDTH = 10
_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)
_LINES_WAITING = 5_000
_LINES_REMEMBERED = 20


class Console:
    """A terminal or pipe that never holds up the one who writes.

    A reader that stopped reading, or went away, must not stop the supervisor: lines that find no
    place are dropped here, and are still in the file.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: queue.Queue[bytes | None] = queue.Queue(_LINES_WAITING)
        self.is_coloured = os.isatty(self._descriptor) and "NO_COLOR" not in os.environ
        self._thread = threading.Thread(target=self._print, name="console", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Print the line as soon as the reader takes it."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(line.encode(errors="replace") + b"\n")

    def close(self) -> None:
        """Print what is waiting, unless nobody reads."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(timeout=1)

    def _print(self) -> None:
        try:
            while line := self._lines.get():
                while line:
                    line = line[os.write(self._descriptor, line) :]
        except OSError as error:
            # A closed terminal tells its first process only, which may be make; it waits for us.
            if error.errno == errno.EIO:
                os.kill(os.getpid(), signal.SIGHUP)


class JointLog:
    """Where every process's lines come together, each behind its name."""

    def __init__(self, path: Path, console: Console) -> None:
        self.path = path
        self._console = console
        self._names: list[str] = []
        self.recent: collections.deque[str] = collections.deque(maxlen=_LINES_REMEMBERED)
        self._file = logging.Logger("joint")  # not registered: Django's logging leaves it alone
        handler = RotatingFileHandler(path, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT)
        formatter = logging.Formatter("%(asctime)s %(message)s")
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
        self._file.addHandler(handler)

    def line(self, name: str, text: str, *, shown: bool = True) -> None:
        """A line that the named process wrote; not shown, it is in the file only."""
        head = f"{name:<{_NAME_WIDTH}}| "
        self._file.info("%s%s", head, text)
        self.recent.append(head + text)
        if shown:
            self._console.write(self._coloured(name, head) + text)

    def say(self, text: str) -> None:
        """What the supervisor itself has to tell the person at the terminal."""
        self._file.info("%s", text)
        self._console.write(text)

    def close(self) -> None:
        """Close the file."""
        for handler in self._file.handlers:
            handler.close()

    def _coloured(self, name: str, head: str) -> str:
        if not self._console.is_coloured:
            return head
        if name not in self._names:
            self._names.append(name)
        colour = _COLOURS[self._names.index(name) % len(_COLOURS)]
        return f"\x1b[{colour}m{head}\x1b[0m"
