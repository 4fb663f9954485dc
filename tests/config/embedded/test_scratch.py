"""A server for a while: gone with its room, also when its maker was killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from config.embedded import accounts, binaries, scratch
from tests.config.embedded.conftest import eventually, working_in

_HOLD = """
import sys, time
from pathlib import Path
from config.embedded import scratch
from tests.config.embedded.test_scratch import laid_out
with scratch.room(Path(sys.argv[1])) as room:
    laid_out(room)
    with scratch.serving(room) as server:
        print("ready", flush=True)
        time.sleep(60)
"""


def laid_out(room: Path) -> None:
    """A cluster, and a configuration by which nobody reaches it."""
    home = room / "postgres"
    home.mkdir(mode=0o700)
    account = accounts.of_server(home)
    accounts.hand_over(room, account)
    command = [str(binaries.postgres("initdb")), "-D", str(home), "--no-sync", "--auth=reject"]
    who = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **who)
    said = f"listen_addresses = ''\nunix_socket_directories = '{room}'\n"
    (room / scratch.CONFIGURATION).write_text(said)


def test_a_room_goes_with_its_block(place: Path) -> None:
    with scratch.room(place) as room:
        assert room.parent == place
        assert scratch.DataFolder(room).holder() is not None
        with scratch.room(place) as other:
            assert {other, room} <= set(place.iterdir())
        assert room.exists()
    assert [path.name for path in place.iterdir()] == ["lock"]


def test_what_a_killed_one_left_goes_with_the_next(place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(place)], stdout=subprocess.PIPE, cwd=Path.cwd()
    ) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == b"ready\n"
        assert eventually(lambda: "postgres" in names_in(place))
        maker.send_signal(signal.SIGKILL)
    with scratch.room(place) as room:
        assert [path for path in place.iterdir() if path.is_dir()] == [room]
        assert eventually(lambda: working_in(place) == [])


def test_one_that_cannot_start_says_why(place: Path) -> None:
    with scratch.room(place) as room:
        (room / "postgres").mkdir(mode=0o700)
        (room / scratch.CONFIGURATION).write_text("no_such_thing = 1\n")
        with scratch.serving(room) as server:
            assert eventually(lambda: server.pid is None)
            assert "no_such_thing" in server.last_words()


def names_in(place: Path) -> set[str]:
    return {process.name() for process in working_in(place)}
