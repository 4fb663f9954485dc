"""Moves that stand still are taken up by a timer: nobody came, or whoever came was killed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from tenants.models import TenantMove
from tenants.moving import queries, starting, tasks
from tenants.moving.errors import NotMovable
from tests.cast import House, now
from tests.isolation import valkey
from tests.isolation.database import connected
from tests.market import list_instrument
from tests.scenarios.processes import until, working
from tests.tenants.moving.movers import PLANS, Broken, away, before, fresh, home, rows, trade

LATER = timedelta(minutes=20)


class Killed(BaseException):
    """Ends whoever carries the rows, without a word in the books."""


@pytest.fixture(autouse=True)
def _no_letters() -> Iterator[None]:
    yield
    valkey.forget(settings.OPERATORS_QUEUE)


@pytest.fixture
def traded(house: House) -> House:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    trade(house.alice, market)
    return house


def start(house: House) -> TenantMove:
    plan = PLANS[house.tier]
    begun = starting.move(tenant=fresh(house), plan=plan, by="system:test", now=now())
    valkey.forget(settings.OPERATORS_QUEUE)  # the message is lost
    return begun


def grow_old(move: TenantMove) -> None:
    long_ago = now() - LATER
    TenantMove.objects.filter(pk=move.pk, tried_at=None).update(begun_at=long_ago)
    TenantMove.objects.filter(pk=move.pk).exclude(tried_at=None).update(tried_at=long_ago)


def again(move: TenantMove) -> TenantMove:
    return TenantMove.objects.get(pk=move.pk)


@pytest.mark.by_turns
def test_a_move_whose_message_was_lost_is_taken_up(traded: House, tmp_path: Path) -> None:
    was, begun = home(traded), start(traded)
    assert begun not in queries.stalled(now=now())
    assert begun in queries.stalled(now=now() + LATER)
    grow_old(begun)
    with working(settings.OPERATORS_QUEUE, tmp_path / "operator.log"):
        tasks.take_up()
        until(lambda: again(begun).finished_at)
    assert home(traded) != was
    assert away(traded, was)
    assert begun not in queries.stalled(now=now() + LATER)


@pytest.mark.by_turns
@pytest.mark.parametrize("phase", ["noting", "copied", "switched", "released"])
def test_a_move_whose_holder_was_killed_is_taken_up(traded: House, phase: str) -> None:
    kept, was, begun = rows(traded, home(traded)), home(traded), start(traded)

    def kill() -> None:
        raise Killed

    with before(phase, kill), pytest.raises(Killed):
        tasks.move(str(begun.pk), "system:test")
    assert (again(begun).error, again(begun).attempts) == ("", 1)
    assert begun not in queries.stalled(now=now())
    assert begun in queries.stalled(now=now() + LATER)
    tasks.move(str(begun.pk), begun.by)
    assert (again(begun).phase, begun.by) == ("released", "system:test")
    assert home(traded) != was
    assert rows(traded, home(traded)) == kept


def test_so_is_one_that_was_to_be_given_up(traded: House) -> None:
    was, begun = home(traded), start(traded)
    starting.give_up(tenant=fresh(traded), by="system:asker")
    assert begun in queries.stalled(now=now() + LATER)
    tasks.move(str(begun.pk), "system:test")
    assert (again(begun).phase, home(traded)) == ("abandoned", was)


def test_what_broke_off_for_a_reason_waits_for_somebody(traded: House) -> None:
    begun = start(traded)

    def break_off() -> None:
        raise Broken

    with before("copied", break_off), pytest.raises(Broken):
        tasks.move(str(begun.pk), "system:test")
    assert begun not in queries.stalled(now=now() + LATER)
    start(traded)  # somebody says: go on
    assert begun in queries.stalled(now=now() + LATER)


def test_one_that_somebody_is_at_is_left_alone(traded: House) -> None:
    was, begun = home(traded), start(traded)
    with connected("DATABASE_OWNER_URL") as other:
        name = f"move {traded.tenant.id}"
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        tasks.move(str(begun.pk), "system:test")
    assert (home(traded), again(begun).attempts) == (was, 0)


def test_who_is_killed_each_time_is_not_sent_for_ever(traded: House) -> None:
    begun = start(traded)
    TenantMove.objects.filter(pk=begun.pk).update(attempts=8)
    with pytest.raises(NotMovable, match="ended each time"):
        tasks.move(str(begun.pk), "system:test")
    assert again(begun).error.startswith("not_movable: ")
    assert begun not in queries.stalled(now=now() + LATER)
    start(traded)
    tasks.move(str(begun.pk), "system:test")
    assert again(begun).phase == "released"
