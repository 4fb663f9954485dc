"""A tenant moves to the other tier, and nobody but its operator can tell."""

from __future__ import annotations

import re
import threading
from decimal import Decimal
from functools import partial
from itertools import product
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections

from accounts.trail.models import PlatformEvent
from tenants.catalogue import filled
from tenants.models import TenantMove
from tenants.moving import actions as moving
from tenants.moving import carrying
from tenants.moving.errors import (
    MovingElsewhere,
    NothingToMove,
    NotMovable,
    RowsDiffer,
    SchemaDiffers,
)
from tests.cast import House, build_house
from tests.isolation.database import connected
from tests.market import Market
from tests.scenarios.test_first_trade import balance, open_account, order
from tests.tenants.moving.movers import (
    BACK,
    PLANS,
    Broken,
    away,
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

PHASES = ["noting", "copied", "verified", "switched", "released"]


def pages(house: House) -> list[Any]:
    """What each of its people sees, whatever lies behind it."""
    paths = ("accounts/", "orders/", "fills/", "positions/", "portfolio/", "notifications/")
    people = (house.alice, house.bob, house.olga)
    answers = [person.get(path).json() for person in people for path in paths]
    return [{name: answer[name] for name in answer if name != "as_of"} for answer in answers]


def test_every_row_arrives_and_none_is_left(house: House, market: Market) -> None:
    for person in (house.alice, house.bob):
        trade(person, market)
    was, seen, kept = home(house), pages(house), rows(house, home(house))
    done = move(house, PLANS[house.tier])
    assert (done.phase, [step["phase"] for step in done.steps]) == ("released", PHASES)
    assert home(house) != was
    assert rows(house, home(house)) == kept
    assert away(house, was)
    assert pages(house) == seen
    assert (notes(house), fresh(house).is_moving) == (0, False)


def test_there_and_back_again(house: House, market: Market) -> None:
    trade(house.alice, market)
    was, kept = home(house), rows(house, home(house))
    move(house, PLANS[house.tier])
    move(house, BACK[house.tier])
    assert home(house) == was
    assert rows(house, was) == kept


def test_it_trades_on_where_it_is_now(house: House, market: Market) -> None:
    """The order that waited is found by the index, and fills; a socket's log goes on."""
    account = trade(house.alice, market)
    move(house, PLANS[house.tier])
    market.feed_bar(open="60", high="61", low="45", close="50")
    waiting = house.alice.get(f"orders/?account={account}&type=limit").json()["results"]
    assert [row["status"] for row in waiting] == ["filled"]
    assert house.alice.post("orders/", order(account, market)).status_code == 201
    market.feed_bar(open="50", high="51", low="49", close="50")
    (position,) = house.alice.get("positions/?open=true").json()["results"]
    assert Decimal(position["quantity"]) == 10
    assert Decimal(balance(house.alice, account)["locked"]) == 0


@pytest.mark.by_turns
@pytest.mark.parametrize("phase", PHASES)
def test_nobody_sees_a_row_twice_or_of_another_on_the_way(
    house: House, market: Market, phase: str
) -> None:
    """Neither by API nor, in either schema, by raw SQL of its own people or a stranger."""
    trade(house.alice, market)
    stranger = trade(house.mallory, market)
    seen, schemas = pages(house), {"public", house.tenant.schema_name}
    found: list[int] = []

    def look() -> None:
        assert pages(house) == seen
        elsewhere = schemas - {home(house)} if has_schema(house) else set()
        for person, schema in product((house.alice, house.olga, house.mallory), elsewhere):
            with person.inside(), connection.cursor() as cursor:
                name = f'"{schema}".trading_order'
                query = f"SELECT count(*) FROM {name} WHERE tenant_id = %s"
                cursor.execute(query, [house.tenant.id])
                found.append(cursor.fetchone()[0])

    with before(phase, look):
        move(house, PLANS[house.tier])
    assert set(found) <= {0}
    assert house.mallory.get(f"accounts/{stranger}/").status_code == 200


def test_others_of_both_tiers_keep_theirs(house: House, market: Market) -> None:
    neighbours = [build_house("starter"), build_house("enterprise")]
    for each in (house, *neighbours):
        trade(each.alice, market)
    kept = [rows(each, home(each)) for each in neighbours]
    move(house, PLANS[house.tier])
    assert [rows(each, home(each)) for each in neighbours] == kept
    call_command("verify_audit", house.tenant.slug, "--json")


@pytest.mark.by_turns
@pytest.mark.parametrize("phase", PHASES[1:4])
def test_what_changes_on_the_way_is_brought(house: House, market: Market, phase: str) -> None:
    """Rows that come, that change, that go, and a value that passes from one row to another."""
    first = trade(house.alice, market)
    second = open_account(house.bob)

    def change() -> None:
        for _ in range(2):
            assert house.alice.post("orders/", order(first, market)).status_code == 201
        assert house.alice.request("PATCH", f"accounts/{first}/", {"name": "x"}).status_code == 200
        assert house.bob.request("DELETE", f"accounts/{second}/").status_code < 300
        for row in house.alice.get("orders/?type=limit").json()["results"]:
            assert house.alice.request("DELETE", f"orders/{row['id']}/").status_code == 200

    with before(phase, change):
        move(house, PLANS[house.tier])
    kept = rows(house, home(house))
    assert any(kept["trading_order"])
    assert [row["name"] for (row,) in kept["trading_account"]].count("x") == 1
    call_command("verify_audit", house.tenant.slug, "--json")


def test_a_schema_that_was_filled_is_as_the_migrations_make_it(market: Market) -> None:
    """What rested meanwhile was put back as it was."""
    house = build_house("starter")
    trade(house.alice, market)
    move(house, "enterprise")
    assert filled.gaps(house.tenant.schema_name) == []


def test_giving_up_that_breaks_off_at_its_end_is_ended_by_either_command(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: object, **__: object) -> None:
        raise Broken

    trade(house.alice, market)
    was = home(house)
    for ended_by in (give_up, lambda house: move(house, PLANS[house.tier])):
        with before("verified", break_off), pytest.raises(Broken):
            move(house, PLANS[house.tier])
        with monkeypatch.context() as patched, pytest.raises(Broken):
            patched.setattr(moving, "_finish", break_off)
            give_up(house)
        assert home(house) == was
        ended_by(house)
        assert not TenantMove.objects.filter(tenant=house.tenant, finished_at=None).exists()
    assert home(house) != was


def test_clients_that_never_stop_lose_nothing(house: House, market: Market) -> None:
    """Each order that was answered 201 is there once, with its lock; none is refused."""
    accounts = {person: open_account(person) for person in (house.alice, house.bob)}
    placed: list[str] = []
    answers: list[int] = []
    stop = threading.Event()

    def clicks(person: Any) -> None:
        try:
            while not stop.is_set():
                waits = order(accounts[person], market, type="limit", limit_price="1")
                answer = person.post("orders/", waits)
                answers.append(answer.status_code)
                if answer.status_code == 201:
                    placed.append(answer.json()["id"])
        finally:
            connections.close_all()

    clients = [threading.Thread(target=clicks, args=[person]) for person in accounts]
    for client in clients:
        client.start()
    try:
        for plan in (PLANS[house.tier], BACK[house.tier], PLANS[house.tier]):
            move(house, plan)
    finally:
        stop.set()
        for client in clients:
            client.join()
    assert set(answers) <= {201, 422}  # the cap on open orders
    kept = rows(house, home(house))
    assert sorted(row["id"] for (row,) in kept["trading_order"]) == sorted(placed)


@pytest.mark.by_turns
@pytest.mark.parametrize("phase", PHASES)
def test_a_move_that_breaks_off_is_taken_up_again(house: House, market: Market, phase: str) -> None:
    trade(house.alice, market)

    def break_off() -> None:
        raise Broken

    with before(phase, break_off), pytest.raises(Broken):
        move(house, PLANS[house.tier])
    account = trade(house.bob, market)
    kept = rows(house, home(house))
    done = move(house, PLANS[house.tier])
    assert done.finished_at is not None
    assert rows(house, home(house)) == kept
    assert house.bob.get(f"accounts/{account}/").status_code == 200


@pytest.mark.by_turns
@pytest.mark.parametrize("phase", PHASES[:4])
def test_a_move_is_given_up_before_the_switch(house: House, market: Market, phase: str) -> None:
    trade(house.alice, market)
    was = home(house)

    def break_off() -> None:
        raise Broken

    with before(phase, break_off), pytest.raises(Broken):
        move(house, PLANS[house.tier])
    kept = rows(house, was)
    assert give_up(house).phase == "abandoned"
    assert (home(house), rows(house, was), notes(house)) == (was, kept, 0)
    assert has_schema(house) == (was != "public")
    assert move(house, PLANS[house.tier]).phase == "released"
    assert rows(house, home(house)) == kept


def test_after_the_switch_there_is_no_way_back_but_the_other_command(
    house: House, market: Market
) -> None:
    def break_off() -> None:
        raise Broken

    with before("released", break_off), pytest.raises(Broken):
        move(house, PLANS[house.tier])
    with pytest.raises(NotMovable):
        give_up(house)
    with pytest.raises(MovingElsewhere):
        move(house, BACK[house.tier])
    assert move(house, PLANS[house.tier]).phase == "released"
    with pytest.raises(NothingToMove):
        move(house, PLANS[house.tier])


def spoil(house: House, was: str) -> None:
    """A row of the copy, past all that is noted."""
    target = house.tenant.schema_name if was == "public" else "public"
    with connected("DATABASE_SUPERUSER_URL") as database:
        database.execute(
            f'UPDATE "{target}".trading_balance SET total = total + 1, free = free + 1'
            f" WHERE tenant_id = '{house.tenant.id}'".encode()
        )
        database.commit()


def test_a_copy_that_is_not_what_is_there_is_not_switched_to(house: House, market: Market) -> None:
    trade(house.alice, market)
    was = home(house)
    changed = partial(spoil, house, was)
    with before("verified", changed), pytest.raises(RowsDiffer, match="trading_balance"):
        move(house, PLANS[house.tier])
    assert home(house) == was


def test_what_was_verified_before_it_broke_off_is_verified_again(
    house: House, market: Market
) -> None:
    trade(house.alice, market)
    was = home(house)

    def break_off() -> None:
        raise Broken

    with before("switched", break_off), pytest.raises(Broken):
        move(house, PLANS[house.tier])
    spoil(house, was)
    with pytest.raises(RowsDiffer, match="trading_balance"):
        move(house, PLANS[house.tier])
    assert home(house) == was


SPOILED = {
    "trading_order.order_quantity_is_positive [constraint_missing]": (
        "ALTER TABLE {}.trading_order DROP CONSTRAINT order_quantity_is_positive"
    ),
    "trading_fill.fill_of_order [index_missing]": "DROP INDEX {}.fill_of_order",
    "trading_balance.free [column_altered]": (
        "ALTER TABLE {}.trading_balance ALTER free DROP NOT NULL"
    ),
    "trading_order.note_change [trigger_missing]": "DROP TRIGGER note_change ON {}.trading_order",
}


@pytest.mark.parametrize("named", SPOILED)
def test_a_schema_that_is_not_as_the_migrations_make_it_is_not_switched_to(
    market: Market, named: str
) -> None:
    house = build_house("starter")
    trade(house.alice, market)

    def spoil() -> None:
        with connected("DATABASE_OWNER_URL") as database:
            database.execute(SPOILED[named].format(house.tenant.schema_name).encode())
            database.commit()

    with before("switched", spoil), pytest.raises(SchemaDiffers, match=re.escape(named)):
        move(house, "enterprise")
    assert home(house) == "public"
    assert give_up(house).phase == "abandoned"
    assert move(house, "enterprise").phase == "released"


def test_a_move_is_on_record(house: House) -> None:
    move(house, PLANS[house.tier])
    events = PlatformEvent.objects.filter(kind="tenant", key=house.tenant.slug)
    told = list(events.order_by("at").values_list("action", flat=True))
    assert told[-2:] == ["tenant.move_begun", "tenant.moved"]
    assert TenantMove.objects.filter(tenant=house.tenant, finished_at=None).count() == 0


def test_tables_come_after_those_that_they_refer_to() -> None:
    names = [table.name for table in carrying.tables()]
    assert (
        names.index("trading_account") < names.index("trading_order") < names.index("trading_fill")
    )
    assert all(table.columns[:2] == ("tenant_id", "id") for table in carrying.tables())
