"""How the web server is started, on a developer's machine, in tests and in the image alike.

As a script it turns into the server, with as many processes as this machine has cores; it imports
nothing of the project.
"""

import os
import shutil
import sys
from collections.abc import Mapping

# A message of `tenants.sockets` has 16,384 characters at most, of up to four bytes each.
_LONGEST_MESSAGE = 65_536  # bytes
_MOST_PROCESSES = 4  # where nobody names a number
UVICORN = (
    "uvicorn",
    "config.asgi:application",
    "--no-proxy-headers",  # how many proxies are believed is a setting of ours (TRUSTED_PROXIES)
    "--no-server-header",
    "--http",
    "config.unreadable:Protocol",
    "--ws-max-size",
    str(_LONGEST_MESSAGE),
)
# One that does not say in time that it lives is killed: a full machine is no reason.
_PATIENCE = ("--timeout-worker-healthcheck", "30")
PROCESSES = "WEB_PROCESSES"


def processes(environ: Mapping[str, str]) -> int:
    """How many serve one port: `WEB_PROCESSES`, or one for each core, but four at most.

    Raises ValueError for what is no number from 1 on.
    """
    given = environ.get(PROCESSES)
    if not given:
        return min(_cores(), _MOST_PROCESSES)
    if not given.isdecimal() or not int(given):
        raise ValueError(f"{PROCESSES} is {given!r}; it must be a number from 1 on.")
    return int(given)


def command(number: int, *more: str) -> tuple[str, ...]:
    """One process is the server itself; of several uvicorn starts those that are missing."""
    if number == 1:
        return (*UVICORN, *more)
    return (*UVICORN, "--workers", str(number), *_PATIENCE, *more)


def _cores() -> int:
    """Those that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main() -> None:
    """Be the server."""
    try:
        number = processes(os.environ)
    except ValueError as error:
        sys.exit(str(error))
    os.environ[PROCESSES] = str(number)  # for the settings of each
    words = command(number, *sys.argv[1:])
    program = shutil.which(words[0])
    if program is None:
        sys.exit(f"{words[0]} is not installed.")
    os.execv(program, words)  # noqa: S606 - what this program is for


if __name__ == "__main__":
    main()
