"""The health checks of the production shape, run to the letter on what lives and what does not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from django.core.cache import caches

from tenants.tasks import PULSE_KEY
from tests.scenarios.processes import working
from tests.web import Server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])


def is_healthy(check: list[str], path: Path | None = None) -> bool:
    """By what the container would run: a list of arguments, or a line for its shell.

    `path` holds programs that come before all others.
    """
    kind, *rest = [part.replace("$$", "$") for part in check]
    command = ["/bin/sh", "-c", *rest] if kind == "CMD-SHELL" else rest
    places = [*([str(path)] if path else []), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {**os.environ, "PATH": os.pathsep.join(places)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True)
    return ran.returncode == 0


def at(check: list[str], address: str, url: str) -> list[str]:
    """The check, which has to ask `address`, of a server of the tests."""
    assert address in check[-1]
    return [*check[:-1], check[-1].replace(address, url)]


def test_the_worker_is_asked_by_its_name(services: dict[str, Any], tmp_path: Path) -> None:
    check = services["worker"]["healthcheck"]["test"]
    with working(f"health-{uuid4().hex}", tmp_path / "worker.log"):
        assert is_healthy(check)
        other = tmp_path / "hostname"
        other.write_text("#!/bin/sh\necho elsewhere\n")
        other.chmod(0o755)
        assert not is_healthy(check, tmp_path)


def test_the_web_is_asked_whether_it_lives(server: Server) -> None:
    arguments = re.findall(r"^HEALTHCHECK .*\\\n +CMD (\[.*\])$", _dockerfile(), re.M)
    check = ["CMD", *json.loads(arguments[0])]
    assert is_healthy(at(check, "http://127.0.0.1:8000", server.url))
    assert not is_healthy(at(check, "http://127.0.0.1:8000", "http://127.0.0.1:9"))


def test_beat_is_well_while_the_web_is_ready(services: dict[str, Any], server: Server) -> None:
    check = services["beat"]["healthcheck"]["test"]
    assert services["web"]["environment"]["PLATFORM_HOSTS"] == "web"
    caches["shared"].set(PULSE_KEY, 1, timeout=60)
    assert is_healthy(at(check, "http://web:8000", server.url))
    assert not is_healthy(at(check, "http://web:8000", f"{server.url}/t/nobody-here"))


def _dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()
