"""Programs that some tests need and `make test-extras` installs."""

from __future__ import annotations

import os
import shutil

import pytest

_ALSO = "/usr/sbin"  # not on everybody's path


def program(name: str) -> str:
    """Where it is. Without it a test fails in CI, where nothing is left untried; else it skips."""
    found = shutil.which(name) or shutil.which(name, path=_ALSO)
    if found:
        return found
    reason = f"{name} is not installed: run `make test-extras`"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
