"""Files that are given block by block: nothing waits for them, and little of them is held."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, current_thread, main_thread

import psutil
import pytest
from pytest_django.fixtures import Settings

from config.api.streams import Attachment
from tenants import slots
from tests import web
from tests.accounts.doors import stepped_up
from tests.backups.keepers import archive_of, take
from tests.cast import House
from tests.tenants.plans import put_on_own_plan
from tests.tenants.test_budget import left, put
from tests.web import Server, serve

MEBIBYTE = 1 << 20
LARGE = 256 * MEBIBYTE


class Waiting:
    """Blocks of which each waits until it may come, and is counted when it is asked for."""

    def __init__(self) -> None:
        self.may_come, self.asked, self.is_closed = Event(), 0, False

    def __iter__(self) -> Iterator[bytes]:
        for number in range(3):
            self.asked += 1
            assert current_thread() is not main_thread()
            assert self.may_come.wait(10)
            yield b"%d" % number

    def close(self) -> None:
        self.is_closed = True


async def test_a_block_that_waits_holds_up_nothing_else_and_none_is_read_ahead() -> None:
    """On the event loop the first would wait for ever: what lets it come runs there, too."""
    blocks = Waiting()
    answer = Attachment(blocks, name="x.tar", content_type="application/x-tar", size=3)
    given = aiter(answer)
    first = anext(given)
    blocks.may_come.set()
    assert await first == b"0"
    assert blocks.asked == 1
    assert [block async for block in given] == [b"1", b"2"]
    answer.close()
    assert blocks.is_closed
    assert answer["Content-Disposition"] == 'attachment; filename="x.tar"'
    assert answer["Content-Length"] == "3"


@pytest.fixture
def site(settings: Settings, tmp_path: Path) -> Iterator[Server]:
    settings.BACKUP_STORAGE = f"file://{tmp_path}/archives"
    with serve(BACKUP_STORAGE=settings.BACKUP_STORAGE) as server:
        yield server


def large(house: House) -> str:
    """The path of a backup that has grown, with what stands beside it; the web opens neither."""
    backup = take(house.tenant)
    with archive_of(backup).open("r+b") as file:
        file.truncate(LARGE)
    beside = archive_of(backup).with_suffix(".json")
    beside.write_text(json.dumps({**json.loads(beside.read_text()), "size": LARGE}))
    return f"/api/v1/backups/{backup.id}/download/"


def test_a_download_is_paid_for_while_it_goes_on(site: Server, house: House) -> None:
    put_on_own_plan(house.tenant, server_ms_per_second=10)
    path, headers = large(house), {"Authorization": stepped_up(house.olga)}
    put(house.tenant, 50)
    with (
        web.client(base_url=site.url, headers=headers, timeout=60) as client,
        client.stream("GET", path) as download,
    ):
        came = 0
        for block in download.iter_raw():
            came += len(block)
            if left(house.tenant) < 0:
                break
        assert came < LARGE
        refused = client.get(path)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_much_time")
    others = {"Authorization": stepped_up(house.mallory)}
    assert web.ask("GET", f"{site.url}/api/v1/accounts/", headers=others).status_code == 200


def test_a_large_download_takes_little_memory_and_can_be_left(site: Server, house: House) -> None:
    path, headers = large(house), {"Authorization": stepped_up(house.olga)}
    process = psutil.Process(site.process.pid)
    with web.client(base_url=site.url, headers=headers, timeout=60) as client:
        with client.stream("GET", path) as left:
            next(left.iter_raw())
        before, came, most = process.memory_info().rss, 0, 0
        with client.stream("GET", path) as answer:
            for block in answer.iter_raw():
                came += len(block)
                most = max(most, process.memory_info().rss - before)
        assert came == int(answer.headers["Content-Length"]) > LARGE
        asked = client.head(path)
        assert (asked.status_code, asked.content) == (200, b"")
        assert asked.headers["Content-Length"] == str(came)
        rest = client.get(
            path, headers={"Range": f"bytes={LARGE}-", "If-Range": asked.headers["ETag"]}
        )
        assert (rest.status_code, len(rest.content)) == (206, came - LARGE)
    assert most < LARGE / 4
    until = time.monotonic() + 20
    while slots.taken(house.tenant.id) and time.monotonic() < until:
        time.sleep(0.05)
    assert slots.taken(house.tenant.id) == 0
