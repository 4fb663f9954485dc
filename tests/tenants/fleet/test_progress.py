"""A bar on a terminal; a line now and then where nobody looks."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tenants.fleet import progress
from tenants.fleet.progress import Progress


def test_a_terminal_has_one_line_that_grows() -> None:
    said: list[str] = []
    bar = Progress(said.append, is_terminal=True)
    for number in (1, 2, 3):
        bar.step(number, 3, failed=number == 2)
    assert [line[:1] for line in said] == ["\r"] * 3
    assert [line.endswith("\n") for line in said] == [False, False, True]
    assert "[##########....................] 1/3 schemas, " in said[0]
    assert "[##############################] 3/3 schemas, 1 failed, 0 s left" in said[2]


def test_a_log_has_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    clock = iter([0.0, 1.0, 6.0, 7.0])
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    bar = Progress(said.append, is_terminal=False)
    for number in (1, 2, 3):
        bar.step(number, 4, failed=False)
    assert said == ["[###############...............] 2/4 schemas, 6 s left\n"]
