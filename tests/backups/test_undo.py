"""The backup of before a restore is of the very state that goes: nothing is in neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from django.db import connections

from backups import actions, catalogue, staging
from backups.models import Backup
from backups.storage.errors import StorageAway
from tenants.moving import fence
from tests.backups.keepers import restore, rows, take
from tests.backups.test_fence import OPEN, REFUSED, answer, elsewhere, last
from tests.cast import House, job
from tests.market import Market
from tests.scenarios.processes import until
from tests.scenarios.test_first_trade import order
from tests.tenants.moving.movers import trade
from trading.models import Account


def undone(house: House, restored: Any) -> dict[str, list[Any]]:
    restore(Backup.objects.get(pk=restored.undo))
    return rows(house.tenant)


def test_what_is_written_while_the_archive_is_checked_and_staged_is_in_the_undo(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade(house.alice, market)
    backup, was = take(house.tenant), rows(house.tenant)
    check, staged, shut = catalogue.check, staging.staged, fence.shut
    account, answers, since = trade(house.bob, market), list[int](), list[Any]()

    def write() -> None:
        answers.append(house.bob.post("orders/", order(account, market)).status_code)

    def checked(*given: Any) -> Any:
        write()
        return check(*given)

    @contextmanager
    def staged_since(*given: Any) -> Iterator[Any]:
        with staged(*given) as manifest:
            write()
            yield manifest

    @contextmanager
    def shut_since(*given: Any) -> Iterator[Any]:
        write()
        since.append(rows(house.tenant))
        with shut(*given) as cursor:
            yield cursor

    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "check", checked)
        patch.setattr(staging, "staged", staged_since)
        patch.setattr(fence, "shut", shut_since)
        restored = restore(backup)
    assert answers == [201] * 3
    assert rows(house.tenant) == was
    assert undone(house, restored) == since[0]


def test_what_is_committed_while_the_fence_waits_is_in_the_undo(
    house: House, market: Market
) -> None:
    trade(house.alice, market)
    backup, was, restored = take(house.tenant), rows(house.tenant), list[Any]()
    account = trade(house.bob, market)

    def put_back() -> None:
        try:
            restored.append(restore(backup))
        finally:
            connections.close_all()

    runner = Thread(target=put_back)
    with job(house.tenant):
        Account.objects.filter(pk=account).update(name="late")
        runner.start()
        until(lambda: elsewhere(house.alice) == REFUSED)
    runner.join()
    assert rows(house.tenant) == was
    undone(house, restored[0])
    assert house.bob.get(f"accounts/{account}/").json()["name"] == "late"


def test_without_an_undo_nothing_is_exchanged(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade(house.alice, market)
    backup = take(house.tenant)
    trade(house.bob, market)
    since = rows(house.tenant, without=frozenset())

    def away(**_: object) -> None:
        assert elsewhere(house.alice) == REFUSED
        raise StorageAway

    with monkeypatch.context() as patch:
        patch.setattr(actions, "take", away)
        with pytest.raises(StorageAway):
            restore(backup)
    assert rows(house.tenant, without=frozenset()) == since
    assert answer(house.alice) == OPEN
    assert (last(house).status, last(house).fault) == ("failed", "storage_away")
