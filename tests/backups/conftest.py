"""Each test of backups has a storage of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from backups.storage import place
from backups.storage.interface import Storage
from tests.market import Market, list_instrument


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Storage:
    settings.BACKUP_STORAGE = f"file://{tmp_path}/archives"
    return place.chosen()


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market
