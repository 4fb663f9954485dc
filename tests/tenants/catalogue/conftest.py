"""The scratch database, made once for the sabotages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tenants.catalogue.scratch import Scratch, made


@pytest.fixture(scope="package")
def scratch() -> Iterator[Scratch]:
    with made() as database:
        yield database
