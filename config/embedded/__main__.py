"""`python -m config.embedded`: run an installation of this checkout, and reach it."""

import argparse
import os
import signal
import sys
import time
from typing import cast

from config.embedded import foreground, launch
from config.embedded.errors import EmbeddedError
from config.embedded.folder import DataFolder
from config.embedded.installation import Installation
from config.embedded.servers import VARIABLES, Role, Servers, joined
from config.embedded.up import Up

_STOP_SECONDS = 60


def main() -> int:
    """Do what the arguments say; returns the exit status."""
    arguments = _parser().parse_args()
    try:
        status: int = arguments.action(arguments, Installation.of(os.environ))
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except PermissionError as error:
        sys.stderr.write(f"This user may not use {error.filename}; run as the one who made it.\n")
        return 1
    return status


def _up(arguments: argparse.Namespace, installation: Installation) -> int:
    if arguments.follow_parent:
        launch.follow(os.getppid(), signal.SIGTERM)
    return Up(installation, os.environ).run()


def _down(_arguments: argparse.Namespace, installation: Installation) -> int:
    folder = DataFolder(installation.data_dir)
    holder = folder.holder()
    if not holder:
        return _say(f"Nothing runs on {folder.path}.")
    os.kill(holder, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while folder.holder() is not None:
        if time.monotonic() > deadline:
            raise EmbeddedError(f"Process {holder} has not stopped in {_STOP_SECONDS} s.")
        time.sleep(0.1)
    return _say(f"Bulkhead on {folder.path} has stopped.")


def _status(_arguments: argparse.Namespace, installation: Installation) -> int:
    servers = _joined(installation)
    _say(f"Bulkhead runs on {servers.folder.path} (process {servers.folder.holder()}).")
    for name, is_ours in (("postgres", servers.embeds_postgres), ("valkey", servers.embeds_valkey)):
        _say(f"{name:<9} {f'127.0.0.1:{servers.folder.port(name)}' if is_ours else 'outside'}")
    return 0


def _dsn(arguments: argparse.Namespace, installation: Installation) -> int:
    return _say(_joined(installation).dsn(cast("Role", arguments.role)))


def _run(arguments: argparse.Namespace, installation: Installation) -> int:
    command = arguments.command
    command = command[1:] if command[:1] == ["--"] else command
    if not command:
        raise EmbeddedError("Say what to run: python -m config.embedded run -- COMMAND …")
    return foreground.run(command, installation, throwaway=arguments.throwaway)


def _manage(arguments: argparse.Namespace, installation: Installation) -> int:
    return foreground.run([sys.executable, "manage.py", *arguments.command], installation)


def _recover(_arguments: argparse.Namespace, installation: Installation) -> int:
    return foreground.recover(installation)


def _joined(installation: Installation) -> Servers:
    servers = joined(installation.data_dir)
    if servers is None:
        raise EmbeddedError(f"Nothing runs on {installation.data_dir}; `make up` starts it.")
    return servers


def _say(line: str) -> int:
    sys.stdout.write(line + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="up|down|status|dsn|run|recover|manage")
    up = verbs.add_parser("up", help="start everything and stay in the foreground")
    up.add_argument("--follow-parent", action="store_true", help="stop when the parent ends")
    up.set_defaults(action=_up)
    verbs.add_parser("down", help="stop it and wait").set_defaults(action=_down)
    verbs.add_parser("status", help="say what runs; exit 1 when nothing").set_defaults(
        action=_status
    )
    dsn = verbs.add_parser("dsn", help="print a libpq URI")
    dsn.add_argument("--role", choices=sorted(VARIABLES), default="app")
    dsn.set_defaults(action=_dsn)
    run = verbs.add_parser("run", help="run a command with the installation's environment")
    run.add_argument("--throwaway", action="store_true", help="on new servers, removed after")
    run.add_argument("command", nargs=argparse.REMAINDER)
    run.set_defaults(action=_run)
    recover = verbs.add_parser("recover", help="all of it back from BACKUP_STORAGE")
    recover.set_defaults(action=_recover)
    manage = verbs.add_parser("manage", help="run a management command", add_help=False)
    manage.add_argument("command", nargs=argparse.REMAINDER)
    manage.set_defaults(action=_manage)
    return parser


if __name__ == "__main__":
    sys.exit(main())
