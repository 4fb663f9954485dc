"""Threads of sockets: who waits for a lock has a share of them, and everybody else the rest."""

from __future__ import annotations

import asyncio
from threading import Barrier, Event
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from tenants import threads


async def _under_way(number: int, begun: list[int]) -> None:
    while len(begun) < number:
        await asyncio.sleep(0.01)


async def test_as_many_of_a_tenant_work_as_it_may_have_connections(settings: Any) -> None:
    settings.CONNECTIONS_PER_TENANT = 2
    may_end, begun, locked = Event(), list[int](), uuid4()

    def wait(number: int) -> int:
        begun.append(number)
        assert may_end.wait(30)
        return number

    waiting = [asyncio.ensure_future(threads.in_turn(locked, wait, n)) for n in range(50)]
    await _under_way(2, begun)
    assert await threads.in_turn(uuid4(), lambda: "told") == "told"
    assert await threads.apart(lambda: "told") == "told"
    assert begun == [0, 1]
    may_end.set()
    assert await asyncio.gather(*waiting) == list(range(50))
    assert locked not in threads._turns


async def test_who_hangs_up_gives_no_turn_away_that_a_thread_still_has(settings: Any) -> None:
    """Else who comes and goes while its lock is held would have every thread wait for that."""
    settings.CONNECTIONS_PER_TENANT = 2
    may_end, begun, locked = Event(), list[int](), uuid4()

    def wait(number: int) -> None:
        begun.append(number)
        assert may_end.wait(30)
        raise ConnectionError

    for turn in range(50):
        waiting = asyncio.ensure_future(threads.in_turn(locked, wait, turn))
        await (_under_way(turn + 1, begun) if turn < 2 else asyncio.sleep(0))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert begun == [0, 1]
    assert await threads.in_turn(uuid4(), lambda: "told") == "told"
    may_end.set()
    with pytest.raises(ConnectionError):
        await threads.in_turn(locked, wait, 50)
    assert begun == [0, 1, 50]


async def test_each_thread_gives_its_connection_back() -> None:
    """One that kept it would keep it after the server has cut it, and sign nobody in again."""
    together = Barrier(8)

    def ask() -> None:
        together.wait(30)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def kept() -> object:
        together.wait(30)
        return connection.connection

    await asyncio.gather(*(threads.apart(ask) for _ in range(8)))
    # Not by `apart`, which closes what it finds.
    loop = asyncio.get_running_loop()
    found = [loop.run_in_executor(threads._threads(), kept) for _ in range(8)]
    assert await asyncio.gather(*found) == [None] * 8
