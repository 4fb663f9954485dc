"""The log: numbers without gaps in the order of commits, and nothing of what was rolled back."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from tests.cast import House, Person, build_person, job, now
from tests.isolation.database import connected
from trading.brokers import actions as brokers
from trading.models import Account, Notification, NotificationCursor
from trading.notifications import actions, events

pytestmark = pytest.mark.by_turns

_WAITING = """
WITH RECURSIVE waiting AS (
    SELECT %s::int AS pid
    UNION
    SELECT a.pid FROM pg_stat_activity a JOIN waiting w ON w.pid = ANY (pg_blocking_pids(a.pid))
)
SELECT count(*) - 1 FROM waiting
"""


def tell(user_id: UUID, kind: str = "test.told", **data: Any) -> None:
    events.publish(user_id=user_id, kind=kind, data=data, now=now())


def log_of(person: Person) -> list[tuple[int, str]]:
    with person.inside():
        rows = Notification.objects.filter(user_id=person.user_id).order_by("number")
        return list(rows.values_list("number", "kind"))


def test_events_are_numbered_as_they_were_published(house: House) -> None:
    with job(house.tenant):
        tell(house.alice.user_id, "one")
        tell(house.bob.user_id, "other")
        tell(house.alice.user_id, "two")
    with job(house.tenant):
        tell(house.alice.user_id, "three")
    assert log_of(house.alice) == [(1, "one"), (2, "two"), (3, "three")]
    assert log_of(house.bob) == [(1, "other")]


def test_more_events_than_one_statement_takes_are_all_stored(house: House) -> None:
    with job(house.tenant):
        for _ in range(2_500):
            tell(house.alice.user_id)
    assert [number for number, _ in log_of(house.alice)] == list(range(1, 2_501))


def test_a_rolled_back_savepoint_leaves_neither_event_nor_gap(house: House) -> None:
    alice = house.alice
    with alice.inside():
        tell(alice.user_id, "before")
        with contextlib.suppress(IntegrityError), transaction.atomic():
            tell(alice.user_id, "lost")
            raise IntegrityError
        tell(alice.user_id, "after")
    assert log_of(alice) == [(1, "before"), (2, "after")]


def test_a_rolled_back_transaction_leaves_neither_event_nor_gap(house: House) -> None:
    alice = house.alice
    with alice.inside():
        tell(alice.user_id, "first")
    with contextlib.suppress(IntegrityError), alice.inside():
        tell(alice.user_id, "lost")
        raise IntegrityError
    with alice.inside():
        tell(alice.user_id, "marked")
        transaction.set_rollback(True)
    with alice.inside():
        tell(alice.user_id, "second")
    assert log_of(alice) == [(1, "first"), (2, "second")]


def test_a_commit_that_fails_leaves_neither_event_nor_gap(house: House) -> None:
    """A composite key is checked at COMMIT, after the events have been numbered."""
    alice = house.alice
    with pytest.raises(IntegrityError), job(house.tenant):
        tell(alice.user_id, "lost")
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO trading_balance (id, user_id, account_id, currency, total, free,"
                " locked) VALUES (%s, %s, %s, 'USD', 0, 0, 0)",
                [uuid4(), alice.user_id, uuid4()],
            )
    with alice.inside():
        tell(alice.user_id, "kept")
    assert log_of(alice) == [(1, "kept")]


def answer(request: HttpRequest) -> HttpResponse:
    tell(request.identity.user_id, request.GET["status"])
    return HttpResponse(status=int(request.GET["status"]))


urlpatterns = [path("answer", answer)]


def test_the_events_of_a_request_that_was_refused_are_not_there(house: House) -> None:
    client = Client(raise_request_exception=False)
    with override_settings(ROOT_URLCONF=__name__):
        for status in (400, 200, 404, 422, 500, 201, 409):
            client.post(f"/answer?status={status}", headers=house.alice.headers)
    assert log_of(house.alice) == [(1, "200"), (2, "201")]


def test_a_person_publishes_to_nobody_else(house: House) -> None:
    with pytest.raises(Exception, match="row-level security"), house.alice.inside():
        tell(house.bob.user_id)
    assert log_of(house.bob) == []


def test_the_same_number_twice_is_refused_by_the_database(house: House) -> None:
    with job(house.tenant):
        tell(house.alice.user_id)
    again = {"user_id": house.alice.user_id, "kind": "x", "at": now(), "data": {}}
    for number, name in ((1, "notification_number_is_unique"), (0, "number_is_positive")):
        with pytest.raises(IntegrityError, match=name), job(house.tenant):
            Notification(number=number, **again).save(force_insert=True)


def test_a_cursor_cannot_be_taken_away(house: House) -> None:
    with job(house.tenant):
        tell(house.alice.user_id)
    with pytest.raises(Exception, match="permission denied"), job(house.tenant):
        NotificationCursor.objects.all().delete()


def test_trimming_leaves_the_newest_of_each_person(house: House) -> None:
    with job(house.tenant):
        for number in range(7):
            tell(house.alice.user_id, f"a{number}")
        for number in range(2):
            tell(house.bob.user_id, f"b{number}")
    for expected in (4, 0):
        with job(house.tenant):
            assert actions.trim(kept=3) == expected
    assert log_of(house.alice) == [(5, "a4"), (6, "a5"), (7, "a6")]
    assert log_of(house.bob) == [(1, "b0"), (2, "b1")]
    with job(house.tenant):
        tell(house.alice.user_id, "next")
    assert log_of(house.alice)[-1] == (8, "next")


def tell_all(house: House, people: list[UUID]) -> None:
    """Tell them in this order, in a transaction of a thread's own."""
    try:
        with job(house.tenant):
            for user_id in people:
                tell(user_id)
    finally:
        connection.close()


def test_two_that_tell_the_same_people_in_other_orders_wait_for_each_other_in_one(
    house: House,
) -> None:
    """Both wait behind a third; in the order of telling, the second would hold what the first
    needs.
    """
    first, second = sorted((house.alice.user_id, house.bob.user_id))
    tell_all(house, [first, second])
    with ThreadPoolExecutor(2) as pool:
        with job(house.tenant):
            NotificationCursor.objects.select_for_update().get(user_id=first)
            waiting = [pool.submit(tell_all, house, [first, second])]
            until_waiting(1)
            waiting.append(pool.submit(tell_all, house, [second, first]))
            until_waiting(2)
        for told in waiting:
            told.result(timeout=20)
    assert [number for number, _ in log_of(house.alice)] == [1, 2, 3]
    assert [number for number, _ in log_of(house.bob)] == [1, 2, 3]


def until_waiting(expected: int) -> None:
    """Until so many backends wait, directly or not, for the lock of this transaction."""
    with connected("DATABASE_SUPERUSER_URL") as superuser, connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
        for _ in range(200):
            (found,) = superuser.execute(_WAITING, [pid]).fetchone() or (0,)
            if found == expected:
                return
            superuser.rollback()  # who is there is looked up once a transaction
            time.sleep(0.05)
    raise AssertionError(f"{found} backends wait, not {expected}")


THREADS, ROUNDS = 8, 12


@dataclass
class Trade:
    """What the threads of the contest share: people, their accounts, and the start of a round."""

    house: House
    people: list[Person]
    accounts: list[UUID]
    start: threading.Barrier = field(default_factory=lambda: threading.Barrier(THREADS))
    expected: list[UUID] = field(default_factory=list)  # one entry an event that committed

    def run(self, seed: int) -> None:
        dice = random.Random(seed)
        try:
            for turn in range(ROUNDS):
                self.start.wait(timeout=60)
                self.transact(dice, f"{seed}:{turn}")
        finally:
            connection.close()

    def transact(self, dice: random.Random, name: str) -> None:
        """Locks two accounts in the house's order, tells several people, and sometimes fails."""
        chosen = sorted(dice.sample(self.accounts, 2))
        told: list[UUID] = []
        fails = dice.random() < 0.2
        with contextlib.suppress(ArithmeticError), job(self.house.tenant):
            for account in chosen:
                told += self.move(dice, account, name)
            if fails:
                raise ArithmeticError
        if not fails:
            self.expected += told

    def move(self, dice: random.Random, account: UUID, name: str) -> list[UUID]:
        """Count on under the account's lock, which is held until the commit."""
        brokers.lock(account)
        Account.objects.filter(pk=account).update(maker_bps=F("maker_bps") + 1)
        turn = int(Account.objects.values_list("maker_bps", flat=True).get(pk=account))
        told = [dice.choice(self.people).user_id for _ in range(dice.randint(1, 4))]
        for user_id in told:
            tell(user_id, account=str(account), turn=turn, by=name)
        with contextlib.suppress(ArithmeticError), transaction.atomic():
            tell(dice.choice(self.people).user_id, account="lost", turn=0, by=name)
            raise ArithmeticError
        return told


@pytest.fixture
def trade(house: House) -> Trade:
    people = [house.alice, house.bob, *(build_person(house.tenant, f"p{n}") for n in range(2))]
    accounts = [UUID(p.post("accounts/", {"name": "a"}).json()["id"]) for p in people]
    return Trade(house, people, accounts)


@contextlib.contextmanager
def watching(person: Person) -> Iterator[list[list[int]]]:
    """Snapshots of a person's log, taken over and over by somebody else."""
    seen: list[list[int]] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.append([number for number, _ in log_of(person)])
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(look)
        try:
            yield seen
        finally:
            done.set()
        watching.result()


def test_numbers_follow_the_commits_of_eight_threads_without_a_gap(trade: Trade) -> None:
    with watching(trade.people[0]) as snapshots, ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(trade.run, range(THREADS)))
    for person in trade.people:
        with person.inside():
            log = list(Notification.objects.order_by("number").values_list("number", "data"))
        numbers = [number for number, _ in log]
        assert numbers == list(range(1, trade.expected.count(person.user_id) + 1))
        # Who held an account later committed later.
        for account in trade.accounts:
            turns = [data["turn"] for _, data in log if data["account"] == str(account)]
            assert turns == sorted(turns)
        # A thread's own transactions come one after the other.
        for thread in range(THREADS):
            own = [d["by"].split(":") for _, d in log if d["by"].startswith(f"{thread}:")]
            assert [int(turn) for _, turn in own] == sorted(int(turn) for _, turn in own)
    assert len(trade.expected) > THREADS * ROUNDS
    # Nobody has ever seen a number without all those before it.
    assert len(snapshots) > ROUNDS
    assert all(seen == list(range(1, len(seen) + 1)) for seen in snapshots)
    assert len({len(seen) for seen in snapshots}) > 3
