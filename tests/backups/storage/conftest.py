"""What keeps archives: a folder, and a bucket on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from backups.storage import s3
from backups.storage.folder import Folder
from backups.storage.interface import Storage
from tests.backups.storage import servers


@pytest.fixture(scope="session")
def s3_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with servers.speaking_s3(tmp_path_factory.mktemp("s3")) as port:
        yield port


@pytest.fixture(scope="session")
def s3_bucket(s3_port: int) -> str:
    return servers.make_bucket(s3_port)


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Each kind of storage, with nothing in it."""
    if request.param == "folder":
        return Folder(tmp_path)
    port, bucket = request.getfixturevalue("s3_port"), request.getfixturevalue("s3_bucket")
    return s3.bucket(servers.url(port, bucket, prefix=uuid4().hex), servers.LOGIN)
