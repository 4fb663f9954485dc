"""The platform under attack: a web process behind one proxy, which says where a call came from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web import Server, serve


@pytest.fixture(scope="session")
def site() -> Iterator[Server]:
    with serve(TRUSTED_PROXIES="1") as server:
        yield server
