"""A move that is given up while somebody carries it ends at the next piece of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings

from accounts.trail.models import PlatformEvent
from tenants.models import TenantMove
from tenants.moving import actions, carrying, phases, starting, tasks
from tenants.moving.errors import MoveGivenUp, MoveUnderWay, NotMovable
from tests.cast import House, now
from tests.isolation import valkey
from tests.isolation.database import connected
from tests.market import Market
from tests.tenants.moving.movers import (
    PLANS,
    before,
    fresh,
    give_up,
    has_schema,
    home,
    move,
    notes,
    rows,
    trade,
)


@pytest.fixture(autouse=True)
def _no_letters() -> Iterator[None]:
    """What is asked of the operator's worker these tests carry out themselves."""
    yield
    valkey.forget(settings.OPERATORS_QUEUE)


def ask(house: House) -> TenantMove:
    return starting.give_up(tenant=fresh(house), by="system:asker")


def last_move(house: House) -> TenantMove:
    return TenantMove.objects.filter(tenant=house.tenant).latest("begun_at")


def is_taken_back(house: House, was: str) -> bool:
    """It lives where it did, nothing of it is left elsewhere, and who asked stands in the trail."""
    given_up = last_move(house)
    events = PlatformEvent.objects.filter(action="tenant.move_given_up", key=house.tenant.slug)
    return (
        (home(house), notes(house), fresh(house).is_moving) == (was, 0, False)
        and has_schema(house) == (was != "public")
        and (given_up.phase, given_up.error) == ("abandoned", "")
        and given_up.finished_at is not None
        and list(events.values_list("actor", flat=True)) == ["system:asker"]
    )


@pytest.mark.by_turns
@pytest.mark.parametrize("phase", ["noting", "copied", "verified", "switched"])
def test_whoever_carries_it_takes_it_back(house: House, market: Market, phase: str) -> None:
    trade(house.alice, market)
    was, kept = home(house), rows(house, home(house))
    with before(phase, lambda: ask(house)), pytest.raises(MoveGivenUp):
        move(house, PLANS[house.tier])
    assert is_taken_back(house, was)
    assert rows(house, was) == kept
    assert move(house, PLANS[house.tier]).phase == "released"


def test_it_is_heard_between_two_pieces_of_the_copy(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade(house.alice, market)
    was, pieces = home(house), []

    @contextmanager
    def piece() -> Iterator[None]:
        pieces.append(last_move(house).phase)
        if pieces[-1] == "noting":
            ask(house)
        yield

    monkeypatch.setattr(carrying.pace, "piece", piece)
    with pytest.raises(MoveGivenUp):
        move(house, PLANS[house.tier])
    assert pieces.count("noting") == 1
    assert is_taken_back(house, was)


def test_the_switch_itself_asks_once_more(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks after the last look and before the switch is heard as well."""
    trade(house.alice, market)
    was = home(house)
    monkeypatch.setattr(phases.Moving, "look", lambda _moving: None)
    with before("switched", lambda: ask(house)), pytest.raises(MoveGivenUp):
        move(house, PLANS[house.tier])
    assert is_taken_back(house, was)


def test_after_the_switch_nobody_is_asked(house: House, market: Market) -> None:
    trade(house.alice, market)
    was = home(house)

    def refused() -> None:
        with pytest.raises(NotMovable):
            ask(house)

    with before("released", refused):
        assert move(house, PLANS[house.tier]).phase == "released"
    assert home(house) != was


def test_a_command_tells_whoever_is_at_it_elsewhere(house: House) -> None:
    starting.move(tenant=fresh(house), plan=PLANS[house.tier], by="system:test", now=now())
    with connected("DATABASE_OWNER_URL") as other:
        name = f"move {house.tenant.id}"
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        with pytest.raises(MoveUnderWay, match="takes it back"):
            give_up(house)
    under_way = last_move(house)
    assert under_way.given_up_by == "system:test"
    with pytest.raises(MoveGivenUp):
        phases.Moving(under_way, phases.route_of(under_way), print, now()).look()


def test_a_worker_takes_back_what_nobody_is_at_and_begins_nothing_anew(house: House) -> None:
    was, plan = home(house), PLANS[house.tier]
    begun = starting.move(tenant=fresh(house), plan=plan, by="system:test", now=now())
    assert ask(house) == begun
    with pytest.raises(NotMovable):
        starting.move(tenant=fresh(house), plan=plan, by="system:test", now=now())
    for _ in range(2):
        tasks.move(str(begun.pk), "system:test")  # the message that asked for the move, and ours
    assert is_taken_back(house, was)
    assert TenantMove.objects.filter(tenant=house.tenant).count() == 1
    begun.refresh_from_db()
    assert actions.go_on(under_way=begun, by="x", now=now(), report=print).phase == "abandoned"
