"""Moves that a worker makes, and what stands with them when they break off."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from tenants.lifecycle.errors import SchemasInUse
from tenants.models import TenantMove
from tenants.moving import starting, tasks
from tenants.moving.errors import NothingToMove, NotMovable
from tests.cast import House, now
from tests.isolation import valkey
from tests.isolation.database import connected
from tests.market import list_instrument
from tests.scenarios.processes import until, working
from tests.tenants.moving.movers import PLANS, Broken, away, before, fresh, home, trade


def start(house: House) -> TenantMove:
    plan = PLANS[house.tier]
    return starting.move(tenant=fresh(house), plan=plan, by="system:test", now=now())


@pytest.mark.by_turns
def test_a_worker_moves_a_tenant(house: House, tmp_path: Path) -> None:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    trade(house.alice, market)
    was = home(house)
    with working(settings.OPERATORS_QUEUE, tmp_path / "operator.log"):
        begun = start(house)
        until(lambda: TenantMove.objects.get(pk=begun.pk).finished_at)
    assert home(house) != was
    assert away(house, was)
    with pytest.raises(NothingToMove):
        start(house)
    tasks.move(str(begun.pk), "system:test")  # a message that comes twice


def test_what_breaks_a_move_off_stands_with_it_until_it_is_done(house: House) -> None:
    begun = start(house)
    with before("copied", _break), pytest.raises(Broken):
        tasks.move(str(begun.pk), "system:test")
    begun.refresh_from_db()
    assert (begun.error, begun.phase) == ("internal: Broken", "noting")
    assert start(house) == begun
    tasks.move(str(begun.pk), "system:test")
    begun.refresh_from_db()
    assert (begun.error, begun.phase) == ("", "released")


def test_migrations_in_its_way_are_named(house: House, schemas_lock: str) -> None:
    begun = start(house)
    with connected("DATABASE_OWNER_URL") as other:
        other.execute(f"SELECT pg_advisory_lock({schemas_lock})".encode())
        with pytest.raises(SchemasInUse):
            tasks.move(str(begun.pk), "system:test")
    begun.refresh_from_db()
    assert begun.error.startswith("schemas_in_use: ")


@pytest.mark.by_turns
def test_a_move_is_given_up_by_a_worker(house: House, tmp_path: Path) -> None:
    was = home(house)
    begun = start(house)
    with before("copied", _break), pytest.raises(Broken):
        tasks.move(str(begun.pk), "system:test")
    valkey.forget(settings.OPERATORS_QUEUE)  # where it is still asked for
    with working(settings.OPERATORS_QUEUE, tmp_path / "operator.log"):
        starting.give_up(tenant=fresh(house), by="system:test")
        until(lambda: TenantMove.objects.get(pk=begun.pk).finished_at)
    assert (home(house), TenantMove.objects.get(pk=begun.pk).phase) == (was, "abandoned")
    with pytest.raises(NotMovable):
        starting.give_up(tenant=fresh(house), by="system:test")


def _break() -> None:
    raise Broken
