"""One installation as the environment describes it: its address, its folder, what it runs."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from config.embedded import web
from config.embedded.errors import EmbeddedError
from config.embedded.folder import DataFolder
from config.embedded.servers import VARIABLES, Servers
from config.embedded.supervisor import Program

PROJECT = Path(__file__).resolve().parents[2]
_MANAGE = (sys.executable, "manage.py")
_CELERY = (sys.executable, "-m", "celery", "-A", "config.celery", "--quiet")
# One thing after the other, in one process; the two at once.
_OPERATOR = ("worker", "-n", "operator@%h", "-Q", "operations", "--pool", "solo", "-l", "info")
_BACKUPS = ("worker", "-n", "backups@%h", "-Q", "wal,backups", "--pool", "solo", "-l", "info")
# A backup is in no hurry. Rows reach it no faster than it reads, so the server goes slower too.
BACKUPS_NICENESS = 10
_COUNTED_IN = "PROMETHEUS_MULTIPROC_DIR"
_SETTINGS = "config.settings.local"
_FALSE = {"0", "false", "no", "off", "n"}


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What `make up` is told by variables."""

    host: str
    port: int
    data_dir: Path
    is_demo: bool
    replays: bool
    web_processes: int

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Installation":
        """Read the variables; raises EmbeddedError when one makes no sense."""
        port = environ.get("PORT") or "8000"
        if not port.isdecimal() or not 0 < int(port) < 65_536:
            raise EmbeddedError(f"PORT is {port!r}; it must be a number from 1 to 65535.")
        is_local = environ.get("DJANGO_SETTINGS_MODULE", _SETTINGS) == _SETTINGS
        return cls(
            host=environ.get("HOST") or "127.0.0.1",
            port=int(port),
            data_dir=Path(environ.get("BULKHEAD_DATA_DIR") or PROJECT / ".data").absolute(),
            is_demo=is_local and environ.get("DEBUG", "").lower() not in _FALSE,
            replays=_is_replayed(environ),
            web_processes=_web_processes(environ),
        )

    @property
    def reachable_host(self) -> str:
        """The address to call from this machine; one that listens everywhere has no name."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - calls

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = self.reachable_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def environment(self, servers: Servers, *, environ: Mapping[str, str]) -> dict[str, str]:
        """For commands run by hand or once: everything."""
        path = os.pathsep.join((str(Path(sys.executable).parent), environ.get("PATH", os.defpath)))
        ours = {"HOST": self.host, "PORT": str(self.port), "PATH": path}
        told = {"DJANGO_SETTINGS_MODULE": _SETTINGS, "BULKHEAD_ORIGIN": self.url, **environ}
        return {**told, **servers.environment(), **ours}

    def steps(self, environment: Mapping[str, str]) -> list[Program]:
        """What is done before the first request, each safe to repeat."""
        names = ["migrate"]
        if environment.get(VARIABLES["superuser"]):
            names.insert(0, "provision_roles")
        if self.is_demo:
            names.append("seed_demo")
        return [_program(name, (*_MANAGE, name), environment) for name in names]

    def programs(self, environment: Mapping[str, str]) -> list[Program]:
        """What runs until the end; only the operator has the log-ins of owner and backup, for it
        makes schemas, and takes first and last backups, whose keys it has too."""
        operators = self._counting(_without(environment, {VARIABLES["superuser"]}))
        allowed = _without(operators, {VARIABLES["owner"], VARIABLES["backup"], "BACKUP_KEYS"})
        serving = allowed | {web.PROCESSES: str(self.web_processes)}
        schedule = str(self.data_dir / "beat-schedule")
        commands: dict[str, Sequence[str]] = {
            "web": self._web(),
            "worker": (*_CELERY, "worker", "-Q", "celery", "--concurrency", "2", "-l", "info"),
            "operator": (*_CELERY, *_OPERATOR),
            "beat": (*_CELERY, "beat", "-l", "info", "--schedule", schedule),
        }
        if self.is_demo and self.replays:
            commands["replay"] = (*_MANAGE, "replay_market")
        return [
            _program(name, command, {"operator": operators, "web": serving}.get(name, allowed))
            for name, command in commands.items()
        ]

    def later(self, environment: Mapping[str, str]) -> list[Program]:
        """What runs until the end, and nobody waits for at the beginning."""
        kept_from = {VARIABLES["superuser"], VARIABLES["owner"]}
        reading = self._counting(_without(environment, kept_from))
        backups = _program("backups", (*_CELERY, *_BACKUPS), reading)
        return [replace(backups, niceness=BACKUPS_NICENESS)]

    def _counting(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Together programs count what the web tells of all; commands, that come and go, do not."""
        return {**environment, _COUNTED_IN: str(DataFolder(self.data_dir).metrics)}

    def _web(self) -> Sequence[str]:
        address = ("--host", self.host, "--port", str(self.port))
        quiet = ("--no-access-log", "--timeout-graceful-shutdown", "5")
        return (sys.executable, "-m", *web.command(self.web_processes, *address, *quiet))


def _without(environment: Mapping[str, str], names: set[str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in names}


def _program(name: str, command: Sequence[str], environment: Mapping[str, str]) -> Program:
    return Program(name=name, command=command, environment=environment)


def _web_processes(environ: Mapping[str, str]) -> int:
    try:
        return web.processes(environ)
    except ValueError as error:
        raise EmbeddedError(str(error)) from error


def _is_replayed(environ: Mapping[str, str]) -> bool:
    """Whether the market moves: at which speed, where nobody has named one, the settings say."""
    speed = environ.get("BULKHEAD_REPLAY_SPEED")
    try:
        return not speed or float(speed) > 0
    except ValueError as error:
        raise EmbeddedError(f"BULKHEAD_REPLAY_SPEED is {speed!r}; it must be a number.") from error
