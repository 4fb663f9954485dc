"""A tenant whose rows are exchanged says so to whoever comes, and is there again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from celery.exceptions import Ignore
from django.conf import settings
from django.db import connections
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.trail import tasks as trail
from backups import progress, tasks
from backups.models import Restoration
from tenants.moving import fence
from tenants.moving.errors import TenantIsBusy
from tenants.tasks import HEADER
from tests.accounts.test_staff import logged_in, staff
from tests.backups.exchanges import Killed, meanwhile
from tests.backups.keepers import restore, rows, take
from tests.cast import House, Person, build_house, job, now
from tests.isolation.database import connected
from tests.market import Market
from tests.scenarios.processes import until
from tests.tenants.moving.movers import trade
from tests.web import Server
from trading.orders.tasks import check_index

ROOT = Path(__file__).resolve().parents[2]


class Broken(Exception):
    """What a test breaks an exchange off with."""


def answer(person: Person) -> tuple[int, str, str]:
    found = person.get("orders/")
    code = found.json().get("code", "") if found.status_code != 200 else ""
    return found.status_code, code, found.headers.get("Retry-After", "")


REFUSED, OPEN = (503, "tenant_restoring", "2"), (200, "", "")


def last(house: House) -> Restoration:
    rows = Restoration.objects.filter(tenant_id=house.tenant.id).order_by("asked_at", "id")
    found = rows.last()
    assert found is not None
    return found


def test_whoever_comes_meanwhile_is_refused_and_nobody_else(house: House, market: Market) -> None:
    trade(house.alice, market)
    assert answer(house.mallory) == OPEN
    backup, was = take(house.tenant), rows(house.tenant)
    trade(house.bob, market)
    seen: list[Any] = []

    def look(_: object) -> None:
        seen.extend(answer(person) for person in (house.alice, house.olga, house.mallory))
        seen.append(house.alice.get("auth/me/").status_code)

    with meanwhile(look), meanwhile(look, is_after=True):
        restore(backup)
    assert seen == [REFUSED, REFUSED, OPEN, 200] * 2
    assert answer(house.alice) == OPEN
    assert rows(house.tenant) == was
    assert (last(house).status, last(house).step, last(house).asked_by_id) == (
        "done",
        progress.ON_RECORD,
        None,
    )


def test_what_fails_leaves_it_open_and_as_it_was(house: House, market: Market) -> None:
    trade(house.alice, market)
    backup = take(house.tenant)
    trade(house.bob, market)
    was = rows(house.tenant, without=frozenset())

    def fail(_: object) -> None:
        raise Broken

    for is_after in (False, True):
        with meanwhile(fail, is_after=is_after), pytest.raises(Broken):
            restore(backup)
        assert answer(house.alice) == OPEN
        assert rows(house.tenant, without=frozenset()) == was
        assert (last(house).status, last(house).fault) == ("failed", "Broken")


def test_what_is_open_is_waited_for_and_what_is_new_is_refused(
    house: House, market: Market
) -> None:
    trade(house.alice, market)
    backup, was = take(house.tenant), rows(house.tenant)
    account = trade(house.bob, market)

    def put_back() -> None:
        try:
            restore(backup)
        finally:
            connections.close_all()

    runner = Thread(target=put_back)
    with job(house.tenant):
        cursor = connections["default"].cursor()
        cursor.execute("SELECT id FROM trading_account WHERE id = %s", [account])
        runner.start()
        until(lambda: elsewhere(house.alice) == REFUSED)
        assert cursor.fetchall() == [(UUID(account),)]
    runner.join()
    assert answer(house.alice) == OPEN
    assert rows(house.tenant) == was


def elsewhere(person: Person) -> tuple[int, str, str]:
    """The answer by another connection than this thread's, which is in the tenant."""
    found: list[tuple[int, str, str]] = []

    def ask() -> None:
        try:
            found.append(answer(person))
        finally:
            connections.close_all()

    thread = Thread(target=ask)
    thread.start()
    thread.join()
    return found[0]


def test_one_that_does_not_end_is_not_waited_for_for_ever(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = take(house.tenant)
    monkeypatch.setattr(fence, "_SHUT_AT_MOST", "100ms")
    with connected("DATABASE_OWNER_URL") as other:
        key = fence._key(house.tenant.id)
        other.execute("SELECT pg_advisory_xact_lock_shared(%s)", [key])
        with pytest.raises(TenantIsBusy):
            restore(backup)
    assert answer(house.alice) == OPEN
    assert last(house).fault == "tenant_is_busy"


def test_who_waits_for_a_move_is_not_refused(house: House) -> None:
    """A move takes the same lock alone, for a moment."""
    waiting = Thread(target=lambda: answers.append(elsewhere(house.alice)))
    answers: list[tuple[int, str, str]] = []
    with fence.alone(house.tenant.id):
        waiting.start()
        waiting.join(timeout=0.5)
        assert waiting.is_alive()
    waiting.join()
    assert answers == [OPEN]


def deliver(task: Any, *given: Any, headers: dict[str, str], **named: Any) -> None:
    """As a worker runs it."""
    task.push_request(
        id=uuid4().hex,
        headers=headers,
        delivery_info={"exchange": "", "routing_key": "its own"},
        called_directly=False,
        is_eager=False,
        retries=0,
    )
    try:
        task(*given, **named)
    finally:
        task.pop_request()


def test_tasks_come_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenant's own, and what the platform would write into its trail."""
    sent: list[Any] = []
    event = {"event_id": str(uuid4()), "action": "person.deactivated", "kind": "user", "key": "x"}
    told = {"actor": "system:test", "person_id": "", "address": "", "request": ""}
    echo = {"tenant_id": str(house.tenant.id), "events": [event], **told}
    backup = take(house.tenant)
    for task in (check_index, trail.echo):
        monkeypatch.setattr(task, "apply_async", lambda *given, **how: sent.append((given, how)))

    def run(_: object) -> None:
        with pytest.raises(Ignore):
            deliver(check_index, headers={HEADER: str(house.tenant.id)})
        with pytest.raises(Ignore):
            deliver(trail.echo, headers={}, **echo)

    with meanwhile(run):
        restore(backup)
    ((_, own), (given, platform), *_) = sent
    assert own["headers"] == {HEADER: str(house.tenant.id)}
    assert given == ((), echo)
    for how in (own, platform):
        assert (how["queue"], how["countdown"] > 0) == ("its own", True)
    trail.echo(**echo)
    events = house.olga.get("audit-log/?action=person.deactivated").json()["results"]
    assert len(events) == 1


@contextmanager
def listening(server: Server, person: Person) -> Iterator[ClientConnection]:
    address = f"{server.url.replace('http', 'ws')}/ws/v1/stream/"
    with connect(address, subprotocols=[person.token]) as socket:
        assert json.loads(socket.recv(timeout=5))["type"] == "authenticated"
        yield socket


def test_sockets_are_closed_and_come_again(server: Server) -> None:
    house = build_house("starter")
    backup = take(house.tenant)
    with listening(server, house.alice) as hers, listening(server, house.mallory) as foreign:
        restore(backup)
        with pytest.raises(ConnectionClosed) as closed:
            hers.recv(timeout=5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
        with pytest.raises(TimeoutError):
            foreign.recv(timeout=0.5)
    with listening(server, house.alice):
        assert answer(house.alice) == OPEN


def test_a_killed_restore_leaves_the_tenant_open_at_once(market: Market) -> None:
    """The command is killed in the midst of the exchange, which waits for a row that we hold."""
    house = build_house("pro")  # which may ask often
    trade(house.alice, market)
    backup, was = take(house.tenant), rows(house.tenant)
    trade(house.bob, market)
    since = rows(house.tenant)
    with connected("DATABASE_SUPERUSER_URL") as other:
        held = "SELECT id FROM trading_order WHERE tenant_id = %s FOR UPDATE"
        other.execute(held, [house.tenant.id])
        command = subprocess.Popen(
            [sys.executable, "manage.py", "restore_tenant", house.tenant.slug],
            cwd=ROOT,
            env={**os.environ, "BACKUP_STORAGE": settings.BACKUP_STORAGE},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: command.poll() is not None or answer(house.alice) == REFUSED)
        assert command.poll() is None
        command.send_signal(signal.SIGKILL)
        command.wait()
        until(lambda: answer(house.alice) == OPEN)
    assert rows(house.tenant) == since
    left = last(house)
    assert left.status == "running"
    tasks.take_up()
    assert last(house).status == "running"  # too fresh to be sure
    Restoration.objects.filter(pk=left.pk).update(begun_at=now() - timedelta(minutes=2))
    tasks.take_up()
    left.refresh_from_db()
    assert (left.status, left.fault) == ("failed", "broken_off")
    restore(backup)
    assert rows(house.tenant) == was


def test_the_next_run_ends_what_was_broken_off(house: House) -> None:
    backup = take(house.tenant)

    def kill(_: object) -> None:
        raise Killed

    with meanwhile(kill, is_after=True), pytest.raises(Killed):
        restore(backup)
    left = last(house)
    assert (left.status, answer(house.alice)) == ("running", OPEN)
    restore(backup)
    left.refresh_from_db()
    assert (left.status, left.fault) == ("failed", "broken_off")


def test_one_whose_runner_lives_is_left_alone(house: House, schemas_lock: str) -> None:
    backup = take(house.tenant)
    left = Restoration.objects.create(
        tenant_id=house.tenant.id,
        backup=backup,
        status="running",
        asked_at=now(),
        begun_at=now() - timedelta(hours=1),
    )
    moved = f"hashtextextended('move {house.tenant.id}', 0)"
    for lock in (moved, schemas_lock):  # or migrations run
        with connected("DATABASE_OWNER_URL") as other:
            other.execute(f"SELECT pg_advisory_lock({lock})".encode())
            tasks.take_up()
        left.refresh_from_db()
        assert left.status == "running"


def test_the_staff_sees_that_it_is_restored(house: House) -> None:
    backup, client = take(house.tenant), logged_in(staff())
    pages = (
        f"/admin/tenants/tenant/{house.tenant.pk}/change/",
        f"/admin/tenants/tenant/?q={house.tenant.slug}",
    )
    seen: list[bool] = []

    def look(_: object) -> None:
        seen.extend(">restoring<" in client.get(page).content.decode() for page in pages)

    with meanwhile(look):
        restore(backup)
    assert seen == [True, True]
    look(None)
    assert seen[2:] == [False, False]
