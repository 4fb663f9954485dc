"""Pytest plugin: with `--tiers by-turns`, rules that do not know where rows lie are tried on one.

A module says so by `pytestmark = pytest.mark.by_turns`: what it tests is the domain's, above the
one place that knows tiers. So does a test of what breaks off at each of many steps. Of each test
one half of the tiers is left out then, by its name, so that a file is tried on both. Without the
option, and in `make campaign`, all of it runs.
"""

from __future__ import annotations

from zlib import crc32

import pytest

TIERS = ("starter", "enterprise")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tiers", choices=("both", "by-turns"), default="both")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--tiers") == "by-turns":
        left_out = [item for item in items if not _has_its_turn(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _has_its_turn(item)]


def _has_its_turn(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    tier = call.params.get("tier") if call else None
    if tier is None or item.get_closest_marker("by_turns") is None:
        return True
    return tier == TIERS[crc32(item.nodeid.replace(tier, "").encode()) % 2]
