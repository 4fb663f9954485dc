"""Throwaway environments for packages that the project itself does not use."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from benchmarks.installation import ROOT


class NotInstalled(Exception):
    """The package manager's words."""


def interpreter(place: Path, pinned: Path) -> str:
    """A Python that has what is pinned, with hashes, besides everything the project has.

    Raises NotInstalled.
    """
    venv.create(place, with_pip=False)
    program = place / "bin" / "python"
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "project.pth").write_text(sysconfig.get_path("purelib"))
    install = ["-m", "pip", "--python", str(program), "install", "--quiet", "--no-deps"]
    ran = subprocess.run(
        [sys.executable, *install, "--require-hashes", "-r", str(pinned)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if ran.returncode:
        raise NotInstalled(ran.stderr.strip().splitlines()[-1])
    return str(program)
