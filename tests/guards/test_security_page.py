"""The security page cannot rot: the files and tests that it names exist, and no number is lost."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
# ASVS 5.0.0: how many requirements of levels 1 and 2 a section has. They come before level 3's.
ASKED = {
    **{"1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2},
    **{"2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1},
    **{"3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2},
    **{"4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4},
    **{"6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4},
    **{"7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2},
    **{"8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1},
    **{"9.1": 3, "9.2": 4},
    **{"11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1},
    **{"12.1": 3, "12.2": 2, "12.3": 4},
    **{"13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5},
    **{"14.1": 2, "14.2": 4, "14.3": 3},
    **{"16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3},
}
_TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
_FILE = re.compile(
    r"(?<![\w/.:-])(?:(?:[\w-]+/)*[\w.-]+\.(?:py|md|yml|toml|txt|html|example)|Dockerfile"
    r"|\.dockerignore)(?!\w)"
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NUMBER = re.compile(r"(\d+\.\d+)\.(\d+)(?:–(\d+))?")
_NUMBERS = re.compile(rf"{_NUMBER.pattern}(?:, {_NUMBER.pattern})*")
_STATE = re.compile(r"(met|partly|not met|n/a)\b")


def text() -> str:
    return PAGE.read_text()


def named_tests() -> list[str]:
    return sorted({match[0] for match in _TEST.finditer(text())})


def named_files() -> list[str]:
    return sorted(set(_FILE.findall(_LINK.sub("", text()))))


@cache
def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def trace() -> Iterator[list[str]]:
    """The rows of the trace: numbers, what is asked, how it is met, what shows it."""
    for line in text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and _NUMBERS.fullmatch(cells[0]):
            yield cells


@pytest.mark.parametrize("name", named_tests())
def test_every_test_that_is_named_exists(name: str) -> None:
    path, _, function = name.partition("::")
    assert function in functions_of(path)


@pytest.mark.parametrize("name", named_files())
def test_every_file_that_is_named_exists(name: str) -> None:
    assert (ROOT / name).is_file()


def test_every_link_leads_somewhere() -> None:
    links = [link for link in _LINK.findall(text()) if "://" not in link]
    assert links
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []


def test_every_number_stands_in_the_trace_once() -> None:
    traced = Counter(
        f"{section}.{number}"
        for numbers, *_ in trace()
        for section, first, last in _NUMBER.findall(numbers)
        for number in range(int(first), int(last or first) + 1)
    )
    asked = Counter(f"{s}.{number + 1}" for s, count in ASKED.items() for number in range(count))
    assert traced == asked


def test_whatever_is_met_names_its_test_or_that_there_is_none() -> None:
    for numbers, _asked, how, shown_by in trace():
        state = _STATE.match(how)
        assert state, numbers
        if state[1] == "met":
            assert _TEST.search(shown_by) or "no test" in shown_by, numbers


def test_the_guard_reads_what_it_should() -> None:
    """Otherwise a page of another shape would pass for a whole one."""
    assert len(named_tests()) > 100
    assert {"docker-compose.yml", ".env.example", "tenants/rls.py"} <= set(named_files())
    assert len(list(trace())) > 100
