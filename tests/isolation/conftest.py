"""The world that isolation tests look at; they read it and try to change what is not theirs."""

from __future__ import annotations

import pytest

from tests.isolation.messages import Messages, heard
from tests.isolation.world import World, build_world


@pytest.fixture(scope="session")
def made() -> tuple[World, Messages]:
    """The world, and what was said while it was made."""
    with heard() as messages:
        return build_world(), messages


@pytest.fixture(scope="session")
def world(made: tuple[World, Messages]) -> World:
    return made[0]


@pytest.fixture(scope="session")
def said(made: tuple[World, Messages]) -> Messages:
    return made[1]


@pytest.fixture(scope="session")
def written() -> World:
    """Another one, in which tests do what is theirs to do."""
    return build_world()
