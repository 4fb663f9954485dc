"""One storage for a module: a server hands its WAL over once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pytest_django.fixtures import Settings

from backups.platform import instants, wal
from backups.platform.base import Base
from backups.snapshot import Instant
from backups.storage import place
from backups.storage.interface import Storage
from tests.backups.platform import platforms
from tests.cast import House, build_house
from tests.market import list_instrument
from tests.servers import APART
from tests.tenants.moving.movers import trade

# A copy of the run's own server would be one of all that tests have left there: see test_apart.
collect_ignore = [] if os.environ.get(APART) else ["test_altered.py", "test_instants.py"]


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a storage."""
    return f"file://{tmp_path_factory.mktemp('platform')}/archives"


@pytest.fixture(autouse=True)
def storage(settings: Settings, archives: str) -> Storage:
    settings.BACKUP_STORAGE = archives
    return place.chosen()


@pytest.fixture(scope="module")
def full(archives: str) -> Iterator[Base]:
    """A copy of all; at the end nobody keeps WAL any more."""
    with platforms.storing(archives):
        yield platforms.copy()
        wal.forget()


@dataclass(frozen=True)
class Then:
    """A server that stands still, where a tenant has traded."""

    instant: Instant
    house: House


@pytest.fixture(scope="module")
def then(full: Base, archives: str) -> Iterator[Then]:
    house, market = build_house("starter"), list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    trade(house.alice, market)
    with (
        platforms.storing(archives),
        instants.standing(platforms.clock(), platforms.quiet()) as instant,
    ):
        yield Then(instant, house)
