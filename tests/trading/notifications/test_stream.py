"""The stream: in order, nothing twice, nothing left out; and who does not read is let go."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import OperationalError

from tenants import seats, valkey
from tenants.hanging_up import user_group
from tests.cast import House, Person, build_person, build_tenant, job
from tests.trading.notifications.hearing import (
    Unwatched,
    Watched,
    listening,
    publish,
    seats_of,
    socket_of,
    without_channel_layer,
)
from trading.models import Notification, NotificationCursor
from trading.notifications import actions, queries

pytestmark = pytest.mark.by_turns

BEGINNING = "00000000-0000-0000-0000-000000000000"


async def ids_of(person: Person) -> list[str]:
    def ids() -> list[str]:
        with person.inside():
            own = Notification.objects.filter(user_id=person.user_id).order_by("number")
            return [str(id_) for id_ in own.values_list("id", flat=True)]

    return await sync_to_async(ids)()


async def trim(person: Person, kept: int) -> None:
    def run() -> None:
        with job(person.tenant):
            actions.trim(kept=kept)

    await sync_to_async(run)()


async def test_events_come_as_they_stand_in_the_log(house: House) -> None:
    async with listening(house.alice) as wire:
        await publish(house.alice, "a", "b")
        await publish(house.alice, "c")
        heard = await wire.hear_all()
    assert [message["type"] for message in heard] == ["a", "b", "c"]
    assert [message["id"] for message in heard] == await ids_of(house.alice)
    assert set(heard[0]) == {"type", "id", "at", "data"}


@pytest.mark.parametrize("count", [50, 51, queries.PAGE, 2 * queries.PAGE + 1])
async def test_a_transaction_of_many_events_is_told_in_order(house: House, count: int) -> None:
    kinds = [f"k{number}" for number in range(count)]
    async with listening(house.alice) as wire:
        await publish(house.alice, *kinds)
        assert await wire.kinds() == kinds


async def test_without_a_last_id_only_what_is_new_comes(house: House) -> None:
    await publish(house.alice, "old")
    async with listening(house.alice) as wire:
        await publish(house.alice, "new")
        assert await wire.kinds() == ["new"]


@pytest.mark.parametrize("in_query", [True, False])
async def test_after_a_last_id_all_comes_that_came_after_it(house: House, in_query: bool) -> None:
    kinds = [f"k{number}" for number in range(queries.PAGE + 50)]
    await publish(house.alice, *kinds)
    last = (await ids_of(house.alice))[2]
    given: dict[str, Any] = {"query": f"x=1&last_id={last}"} if in_query else {"last_id": last}
    async with listening(house.alice, **given) as wire:
        await publish(house.alice, "new")
        assert await wire.kinds() == [*kinds[3:], "new"]


async def test_the_first_message_says_where_the_stream_begins(house: House) -> None:
    async with socket_of(house.alice) as wire:
        first = await wire.hear()
    assert first == {
        "type": "authenticated",
        "tenant": str(house.tenant.id),
        "last_id": BEGINNING,
    }
    await publish(house.alice, "a", "b")
    async with listening(house.alice, last_id=first["last_id"]) as wire:
        assert await wire.kinds() == ["a", "b"]
    async with socket_of(house.alice) as wire:
        assert (await wire.hear())["last_id"] == (await ids_of(house.alice))[1]


async def test_an_id_that_the_log_does_not_have_means_to_resync(house: House) -> None:
    await publish(house.alice, "a1", "a2")
    await publish(house.bob, "b1")
    others = (await ids_of(house.bob))[0]
    for unknown in (str(uuid4()), "nonsense", others, 7, ["x"], {"a": 1}, "\0", "é" * 300):
        async with listening(house.alice, last_id=unknown) as wire:
            resync = await wire.hear()
            assert (resync["type"], resync["data"]) == ("resync", {})
            assert resync["id"] == (await ids_of(house.alice))[-1]
            await publish(house.alice, "new")
            new = await wire.hear()
        async with listening(house.alice, last_id=resync["id"]) as wire:
            assert await wire.hear() == new
        assert new["type"] == "new"


async def test_an_id_that_fell_out_of_the_log_means_to_resync(house: House) -> None:
    await publish(house.alice, "a", "b", "c", "d")
    before = await ids_of(house.alice)
    await trim(house.alice, kept=2)
    async with listening(house.alice, last_id=before[1]) as wire:
        assert await wire.kinds() == ["resync"]
    async with listening(house.alice, last_id=before[2]) as wire:
        assert await wire.kinds() == ["d"]
    async with listening(house.alice, last_id=BEGINNING) as wire:
        assert await wire.kinds() == ["resync"]


async def test_what_was_lost_on_its_way_comes_before_the_next_message(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(house.alice) as wire:
        await publish(house.alice, "heard")
        with without_channel_layer(), caplog.at_level(logging.WARNING, "bulkhead.events"):
            await publish(house.alice, "lost", "lost too")
        assert "events were not sent: ConnectionError" in caplog.text
        assert await wire.kinds() == ["heard"]
        await publish(house.alice, "next")
        assert await wire.kinds() == ["lost", "lost too", "next"]


async def test_what_was_lost_on_its_way_is_found_without_a_next_message(house: House) -> None:
    async with listening(house.alice, Watched) as wire:
        await publish(house.alice, "heard")
        assert (await wire.hear())["type"] == "heard"
        with without_channel_layer():
            await publish(house.alice, "lost", "lost too")
        assert [(await wire.hear())["type"] for _ in range(2)] == ["lost", "lost too"]
        await publish(house.alice, "next")
        assert await wire.kinds() == ["next"]


async def test_a_valkey_that_was_emptied_is_told_again_who_listens(house: House) -> None:
    group = user_group(house.tenant.id, house.alice.user_id)
    async with listening(house.alice, Watched) as wire:
        await sync_to_async(valkey.client().delete)(f"bulkhead:group:{group}")
        await asyncio.sleep(0.3)
        assert await sync_to_async(valkey.client().zcard)(f"bulkhead:group:{group}") == 1
        await publish(house.alice, "heard")
        assert await wire.kinds() == ["heard"]


async def test_what_was_told_is_not_told_again(house: House) -> None:
    group = user_group(house.tenant.id, house.alice.user_id)
    async with listening(house.alice) as wire:
        await publish(house.alice, "a", "b")
        first, second = [await wire.hear() for _ in range(2)]
        again = {"type": "deliver", "last": 2, "events": [(1, first), (2, second)]}
        for _ in range(3):
            await get_channel_layer().group_send(group, again)
        await publish(house.alice, "c")
        assert await wire.kinds() == ["c"]


async def test_a_log_that_was_trimmed_past_a_socket_is_told_as_such(house: House) -> None:
    async with listening(house.alice) as wire:
        await publish(house.alice, "heard")
        assert (await wire.hear())["type"] == "heard"
        with without_channel_layer():
            await publish(house.alice, "lost", "lost", "kept")
        await trim(house.alice, kept=1)
        await publish(house.alice, "next")
        assert await wire.kinds() == ["resync"]
        await publish(house.alice, "new")
        assert await wire.kinds() == ["new"]


async def test_a_log_that_was_taken_back_is_told_as_such(house: House) -> None:
    def take_back() -> None:
        with job(house.tenant):
            Notification.objects.filter(number__gt=1).delete()
            NotificationCursor.objects.update(last=1)

    await publish(house.alice, "a", "b", "c")
    async with listening(house.alice, Watched) as wire:
        await sync_to_async(take_back)()
        assert (await wire.hear())["type"] == "resync"
        await publish(house.alice, "new")
        assert await wire.kinds() == ["new"]


async def test_a_database_that_is_away_closes_the_socket(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError

    async with listening(house.alice, Watched) as wire:
        monkeypatch.setattr(queries, "after", fail)
        assert await wire.hear() == {"closed": 1013}


class Impatient(Unwatched):
    seconds_to_send = 0.3


class Narrow(Unwatched):
    seconds_to_send = 5.0
    most_waiting = 3


async def test_who_does_not_read_is_let_go_and_can_come_back(house: House) -> None:
    async with listening(house.alice, Impatient, blocks_after=3) as wire:
        for number in range(6):
            await publish(house.alice, f"k{number}")
        await asyncio.sleep(0.4)
        wire.is_open.set()  # reads on, too late
        heard = await wire.hear_all()
    assert heard[-1] == {"closed": 1013}
    last = heard[-2]["id"]
    missed = [f"k{number}" for number in range(len(heard) - 1, 6)]
    assert missed
    async with listening(house.alice, last_id=last) as wire:
        assert await wire.kinds() == missed


async def test_who_takes_not_even_the_close_is_let_go(house: House) -> None:
    async with listening(house.alice, Impatient, blocks_after=2):
        await publish(house.alice, "fits")
        await publish(house.alice, "waits")
        assert await sync_to_async(seats_of)(house.alice) == 1
        await asyncio.sleep(1.5)
        assert await sync_to_async(seats_of)(house.alice) == 0
        await publish(house.alice, "to nobody")


async def test_more_than_may_wait_for_a_slow_reader_closes_the_socket(house: House) -> None:
    async with listening(house.alice, Narrow, blocks_after=3) as wire:
        began = time.monotonic()
        for number in range(8):
            await publish(house.alice, f"k{number}")
        wire.is_open.set()
        heard = await wire.hear_all()
        assert time.monotonic() - began < Narrow.seconds_to_send
    assert heard[-1] == {"closed": 1013}
    assert [message["type"] for message in heard[:-1]] == [f"k{n}" for n in range(len(heard) - 1)]


def test_a_slow_reader_has_ten_seconds_and_room_for_256_messages() -> None:
    assert Unwatched.__base__.seconds_to_send == 10
    assert Unwatched.__base__.most_waiting == 256


async def test_a_person_has_so_many_sockets_in_a_tenant(house: House, settings: Any) -> None:
    settings.SOCKETS_PER_USER = 2
    elsewhere = await sync_to_async(also_member)(house.alice)
    async with listening(house.alice):
        async with listening(house.alice):
            async with socket_of(house.alice) as third:
                assert await third.hear() == {"closed": 4429}
            async with listening(house.bob), listening(elsewhere):
                pass
        async with listening(house.alice) as again:
            await publish(house.alice, "heard")
            assert await again.kinds() == ["heard"]
    assert await sync_to_async(seats_of)(house.alice) == 0


def also_member(person: Person) -> Person:
    """The same person, in another tenant of the same tier."""
    tenant = build_tenant(person.tenant.tier)
    other = build_person(tenant, "other")
    return Person("alice", person.user_id, person.email, tenant, other.role)


async def test_the_seat_of_a_socket_that_lives_does_not_run_out(
    house: House, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SOCKETS_PER_USER = 1
    monkeypatch.setattr(seats, "_SECONDS", 2)
    async with listening(house.alice, Watched):
        await asyncio.sleep(3.1)
        async with socket_of(house.alice) as second:
            assert await second.hear() == {"closed": 4429}


def test_the_seat_of_a_server_that_was_killed_runs_out(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SOCKETS_PER_USER = 1
    monkeypatch.setattr(seats, "_SECONDS", 1)
    who: tuple[UUID, UUID] = (uuid4(), uuid4())
    seats.take(*who, "killed")
    with pytest.raises(seats.TooManySockets):
        seats.take(*who, "next")
    time.sleep(2.1)
    seats.take(*who, "next")


def test_a_seat_that_was_forgotten_is_taken_again_even_beyond_the_cap(
    settings: Any,
) -> None:
    settings.SOCKETS_PER_USER = 1
    who: tuple[UUID, UUID] = (uuid4(), uuid4())
    seats.take(*who, "new")
    seats.renew(*who, "was there before")
    seats.leave(*who, "new")
    with pytest.raises(seats.TooManySockets):
        seats.take(*who, "next")
