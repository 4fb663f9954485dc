"""The scratch database, made once for the sabotages."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.servers import APART
from tests.tenants.catalogue.scratch import Scratch, made

# What it sets, the run's other tests would start with.
collect_ignore = [] if os.environ.get(APART) else ["test_server_settings.py"]


@pytest.fixture(scope="package")
def scratch() -> Iterator[Scratch]:
    with made() as database:
        yield database
