"""A process that outlives its parent just long enough to end what the parent started."""

# The kernel's parent-death signal reaches direct children, and only on Linux; this reaches whole
# process groups, everywhere. Run as a script, so it imports nothing of the project.

import contextlib
import os
import signal
import subprocess
import sys
import time

_GRACE_SECONDS = 10


class Guardian:
    """The parent's side: says which process groups to end, and how, should the parent vanish."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def watch(self, group: int, stop: signal.Signals = signal.SIGTERM) -> None:
        """End this group with `stop`, then SIGKILL, when the parent has vanished."""
        self._tell(f"watch {group} {int(stop)}")

    def forget(self, group: int) -> None:
        """The group has ended; its number may come again for somebody else's."""
        self._tell(f"forget {group} 0")

    def close(self) -> None:
        """Let go, which ends whatever is still watched."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        # A guardian that somebody killed is missed, but is no reason to stop working.
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()


def _end(watched: dict[int, int]) -> None:
    for group, stop in watched.items():
        _send(group, stop)
    deadline = time.monotonic() + _GRACE_SECONDS
    while watched and time.monotonic() < deadline:
        watched = {group: stop for group, stop in watched.items() if _send(group, 0)}
        time.sleep(0.05)
    for group in watched:
        _send(group, signal.SIGKILL)


def _send(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


def main() -> None:
    """Keep the list until the parent's end of the pipe closes."""
    watched: dict[int, int] = {}
    for line in sys.stdin:
        verb, group, stop = line.split()
        if verb == "watch":
            watched[int(group)] = int(stop)
        else:
            watched.pop(int(group), None)
    _end(watched)


if __name__ == "__main__":
    main()
