"""`up` from start to end, on a stand-in for the project."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import ports
from config.embedded.installation import PROJECT
from tests.config.embedded.conftest import eventually, working_in

_MANAGE = """
import os, sys, time
print("manage", *sys.argv[1:])
if sys.argv[1] == os.environ.get("FAILING"):
    sys.exit("it would not")
if sys.argv[1] == "replay_market":
    time.sleep(60)
"""
_ASGI = """
async def application(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ready"})
"""
_UNREADABLE = "from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Protocol"
_CELERY = """
import os
from celery import Celery
application = Celery("stand-in", broker=os.environ["REDIS_URL"])
"""


@pytest.fixture
def project(place: Path) -> Iterator[Path]:
    """The supervisor's own code, around the least that can be called a project."""
    root = place.parent / "project"
    shutil.copytree(PROJECT / "config" / "embedded", root / "config" / "embedded")
    (root / "config" / "settings").mkdir()
    for name, content in {
        "manage.py": _MANAGE,
        "config/asgi.py": _ASGI,
        "config/unreadable.py": _UNREADABLE,
        "config/celery.py": _CELERY,
        "config/settings/local.py": "SECRET_KEY = 'x'",
    }.items():
        (root / name).write_text(content)
    yield root
    assert eventually(lambda: working_in(place.parent) == [])


def _command(project: Path, verb: str, **variables: str) -> subprocess.Popen[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    place = {"BULKHEAD_DATA_DIR": str(project.parent / "data")}
    return subprocess.Popen(
        [sys.executable, "-m", "config.embedded", verb],
        cwd=project,
        env={**kept, **place, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_up_is_ready_stops_on_signals_and_leaves_nothing(project: Path) -> None:
    port = ports.choose(None)
    with _command(project, "up", PORT=str(port)) as up:
        assert up.stdout is not None
        before = []
        for line in up.stdout:
            before.append(line)
            if "is ready" in line:
                break
        assert f"http://127.0.0.1:{port}/" in before[-1]
        # What nobody waits for comes after that.
        assert not any(line.split()[1:2] == ["backups"] for line in before)
        assert next(line for line in up.stdout if "backups@" in line)
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        asked.request("GET", "/")
        assert asked.getresponse().read() == b"ready"
        asked.close()
        with _command(project, "up", PORT=str(port)) as second:
            assert "already runs" in second.communicate()[0]
        for _ in range(2):  # make passes on what the terminal already sent
            up.send_signal(signal.SIGTERM)
        assert "Bulkhead has stopped." in up.communicate()[0]
    assert up.returncode == 0


def test_down_stops_it_from_elsewhere(project: Path) -> None:
    with _command(project, "up", PORT=str(ports.choose(None))) as up:
        assert up.stdout is not None
        assert any("Valkey" in line for line in up.stdout)
        with _command(project, "down") as down:
            assert "has stopped" in down.communicate()[0]
        up.communicate()
    assert (up.returncode, down.returncode) == (0, 0)


def test_a_step_that_fails_ends_it_with_its_words(project: Path) -> None:
    with _command(project, "up", PORT=str(ports.choose(None)), FAILING="migrate") as up:
        said = up.communicate()[0]
    assert "migrate failed with status 1" in said
    assert "it would not" in said
    assert up.returncode == 1


def test_a_taken_port_is_named(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with _command(project, "up", PORT=str(port)) as up:
            assert f"Port {port} on 127.0.0.1 is taken" in up.communicate()[0]
    assert up.returncode == 1
