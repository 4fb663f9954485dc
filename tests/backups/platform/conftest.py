"""One storage for a module: the run's server hands its WAL over once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from backups.platform import wal
from backups.platform.base import Base
from backups.storage import place
from backups.storage.interface import Storage
from tests.backups.platform import platforms


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
