"""What needs a server of its own: it is copied as a whole, or begins otherwise than others may."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import servers

_TESTS = Path(__file__).parent
_FILES = (
    "backups/platform/test_altered.py",
    "backups/platform/test_instants.py",
    "tenants/catalogue/test_server_settings.py",
)


@pytest.mark.timeout(900)
def test_on_a_server_of_their_own() -> None:
    """`pytest` of the files, with BULKHEAD_TEST_APART=1."""
    files = [str(_TESTS / name) for name in _FILES]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--show-capture=no", "--durations=10", *files],
        env=servers.elsewhere() | {servers.APART: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-20_000:]
