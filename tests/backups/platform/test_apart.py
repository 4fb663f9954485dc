"""Instants, on a server of their own: what is copied and recovered there is small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import servers
from tests.backups.platform.conftest import ON_ITS_OWN

_TESTS = Path(__file__).with_name("test_instants.py")


@pytest.mark.timeout(900)
def test_instants() -> None:
    """`pytest tests/backups/platform/test_instants.py`, with BULKHEAD_TEST_PLATFORM=1."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--show-capture=no", "--durations=10", str(_TESTS)],
        env=servers.elsewhere() | {ON_ITS_OWN: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-20_000:]
