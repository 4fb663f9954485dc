"""The world that isolation tests look at; they read it and try to change what is not theirs."""

from __future__ import annotations

import pytest

from tests.isolation.world import World, build_world


@pytest.fixture(scope="session")
def world() -> World:
    return build_world()
