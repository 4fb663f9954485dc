"""WAL laid down beside the server: whole, once, and only where somebody keeps it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from config.embedded import handing_over

NAME = "000000010000000000000002"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    made = tmp_path / "it's a 100% spool"
    made.mkdir()
    return made


def hand_over(spool: Path, content: bytes) -> int:
    """As PostgreSQL does it; gives the status."""
    segment = spool.parent / NAME
    segment.write_bytes(content)
    said = handing_over.command(spool).replace("%p", str(segment)).replace("%f", NAME)
    return subprocess.run(["/bin/sh", "-c", said.replace("%%", "%")], check=False).returncode


def test_where_nobody_keeps_any_none_is_laid_down(spool: Path) -> None:
    assert hand_over(spool, b"x") == 0
    assert list(spool.iterdir()) == []


def test_what_is_handed_over_is_laid_down_whole(spool: Path) -> None:
    (spool / "keep").touch()
    (spool / f"{NAME}.part").write_bytes(b"half of it, by one that was killed")
    assert hand_over(spool, b"x" * 100_000) == 0
    assert (spool / NAME).read_bytes() == b"x" * 100_000
    assert {path.name for path in spool.iterdir()} == {"keep", NAME}


def test_the_same_again_is_no_fault_and_another_is_refused(spool: Path) -> None:
    (spool / "keep").touch()
    assert [hand_over(spool, content) for content in (b"x", b"x")] == [0, 0]
    assert hand_over(spool, b"y") != 0
    assert (spool / NAME).read_bytes() == b"x"


def test_without_room_it_is_told(spool: Path) -> None:
    (spool / "keep").touch()
    (spool / f"{NAME}.part").mkdir()  # so that nothing can be written there
    (spool / f"{NAME}.part" / NAME).mkdir()
    assert hand_over(spool, b"x") != 0
    assert not (spool / NAME).exists()
