"""One command with an installation's environment, in the terminal of whoever asked."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from config.embedded import launch
from config.embedded.folder import DataFolder
from config.embedded.installation import PROJECT, Installation
from config.embedded.interruption import Interruption
from config.embedded.servers import Servers, joined, running

_STAND_INS = {
    "DJANGO_SETTINGS_MODULE": "config.settings.local",
    "SECRET_KEY": "recovering",
    "TENANT_TICKET_SECRET": "00",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1",
}


def run(command: Sequence[str], installation: Installation, *, throwaway: bool = False) -> int:
    """Run it beside the running servers, or start servers for as long; returns its status."""
    there = None if throwaway else joined(installation.data_dir)
    if there is not None:
        _replace(command, installation.environment(there, environ=os.environ))
    Interruption().listen()
    with _temporary(installation, throwaway=throwaway) as servers:
        return _child(command, installation.environment(servers, environ=os.environ))


def recover(installation: Installation) -> int:
    """Bring an installation back where there is none; returns the status.

    Its servers' addresses and secrets are what is to be brought: until then others stand in.
    """
    folder = DataFolder(installation.data_dir)
    if folder.holder() is not None:
        raise folder.is_held()
    Interruption().listen()
    told = {"BULKHEAD_DATA_DIR": str(folder.path), **_STAND_INS, **os.environ}
    return _child([sys.executable, "manage.py", "recover_platform"], told)


@contextlib.contextmanager
def _temporary(installation: Installation, *, throwaway: bool) -> Iterator[Servers]:
    if not throwaway:
        with running(installation.data_dir) as servers:
            yield servers
        return
    with tempfile.TemporaryDirectory(prefix="bulkhead-") as folder:
        Path(folder).chmod(0o711)  # run as root, the servers are another user
        with running(Path(folder) / "data", durable=False) as servers:
            yield servers


def _replace(command: Sequence[str], environment: Mapping[str, str]) -> None:
    os.chdir(PROJECT)
    os.execvpe(command[0], list(command), environment)  # noqa: S606 - asked for by hand


def _child(command: Sequence[str], environment: Mapping[str, str]) -> int:
    wrapper = [sys.executable, "-I", "-S", launch.__file__, "--parent", str(os.getpid()), "--"]
    child = subprocess.Popen(  # noqa: S603 - asked for by hand
        [*wrapper, *command], env=environment, cwd=PROJECT
    )
    # The terminal sends its Ctrl-C to the child as well; what it means is the child's to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _frame: child.send_signal(number))
    status = child.wait()
    return status if status >= 0 else 128 - status
