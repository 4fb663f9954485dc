"""Becoming the servers' user, as root only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded import launch

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root on Linux has a user to drop"
)

_NOBODY = ("--user", "65534", "65534")
_NO_AMBIENT = "import ctypes; ctypes.CDLL(None).prctl(28, 0x40, 0, 0, 0);"


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder that only root may enter, with another beneath it."""
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o700)
    return inner


def _launch(*arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    code = f"import os, sys; {before} os.execv(sys.executable, sys.argv[1:])"
    wrapper = [sys.executable, "-I", "-S", launch.__file__, "--parent", str(os.getpid())]
    command = [sys.executable, "-c", code, *wrapper, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_launched_is_nobody() -> None:
    done = _launch(*_NOBODY, "--", "id", "-u")
    assert (done.stdout, done.returncode) == ("65534\n", 0)


def test_it_passes_a_folder_that_only_root_may_enter(closed: Path) -> None:
    done = _launch(*_NOBODY, "--reach", str(closed), "--", "ls", "-d", str(closed))
    if done.returncode == launch.REFUSED:
        pytest.skip("this kernel or container gives no ambient capabilities")
    assert done.stdout == f"{closed}\n"


def test_it_keeps_nothing_else_of_root() -> None:
    done = _launch(*_NOBODY, "--", "sh", "-c", "kill -0 1")
    assert done.returncode != 0


def test_without_capabilities_it_names_the_variable(closed: Path) -> None:
    done = _launch(*_NOBODY, "--reach", str(closed), "--", "true", before=_NO_AMBIENT)
    assert done.returncode == launch.REFUSED
    assert "BULKHEAD_DATA_DIR" in done.stderr


def test_a_missing_program_is_named() -> None:
    done = _launch("--", "/no/such/program")
    assert done.returncode == launch.REFUSED
    assert "/no/such/program can't be run" in done.stderr
