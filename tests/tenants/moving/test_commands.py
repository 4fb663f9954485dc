"""`graduate_tenant` and `demote_tenant`, as an operator types them."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.cast import build_house
from tests.isolation.database import connected
from tests.market import list_instrument
from tests.tenants.moving.movers import Broken, before, home, trade


def run(name: str, *arguments: str) -> Any:
    told = StringIO()
    call_command(name, *arguments, "--json", stdout=told)
    return json.loads(told.getvalue())


@pytest.fixture
def house() -> Any:
    house, market = build_house("starter"), list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    trade(house.alice, market)
    return house


def test_a_tenant_graduates_and_is_demoted(house: Any) -> None:
    slug = house.tenant.slug
    there = run("graduate_tenant", slug)
    assert (there["phase"], there["plan"], home(house)) == (
        "released",
        "enterprise",
        house.tenant.schema_name,
    )
    back = run("demote_tenant", slug, "--plan", "starter")
    assert (back["phase"], back["plan"], home(house)) == ("released", "starter", "public")


def test_a_dry_run_tells_size_time_and_disk_and_moves_nothing(house: Any) -> None:
    told = run("graduate_tenant", house.tenant.slug, "--dry-run")
    assert told["rows"] > 10
    assert told["bytes"] > told["rows"]
    assert told["seconds"] >= 0
    assert told["free_disk"] is None or told["free_disk"] > 0
    assert home(house) == "public"


def test_a_move_is_given_up_by_the_same_command(house: Any) -> None:
    def break_off() -> None:
        raise Broken

    with before("verified", break_off), pytest.raises(Broken):
        run("graduate_tenant", house.tenant.slug)
    assert run("graduate_tenant", house.tenant.slug, "--give-up")["phase"] == "abandoned"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody"], "There is no tenant 'nobody'"),
        (["{slug}", "--plan", "gold"], "unknown_plan"),
        (["{slug}", "--plan", "pro"], "nothing_to_move"),
        (["{slug}", "--give-up"], "not_movable"),
    ],
)
def test_what_cannot_be_done_is_said(house: Any, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run("graduate_tenant", *(each.format(slug=house.tenant.slug) for each in arguments))


def test_two_do_not_move_one_tenant(house: Any) -> None:
    name = f"move {house.tenant.id}"
    with connected("DATABASE_OWNER_URL") as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        with pytest.raises(CommandError, match="move_under_way"):
            run("graduate_tenant", house.tenant.slug)


def test_migrations_and_moves_exclude_each_other(house: Any, schemas_lock: str) -> None:
    with connected("DATABASE_OWNER_URL") as other:
        other.execute(f"SELECT pg_advisory_lock({schemas_lock})".encode())
        with pytest.raises(CommandError, match="schemas_in_use: Migrations run"):
            run("graduate_tenant", house.tenant.slug)
    with connected("DATABASE_OWNER_URL") as other:
        other.execute(f"SELECT pg_advisory_lock_shared({schemas_lock})".encode())
        with pytest.raises(CommandError, match="schemas_in_use: A tenant is being moved"):
            call_command("migrate", verbosity=0)
