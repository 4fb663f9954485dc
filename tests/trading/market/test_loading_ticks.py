"""Ticks into the database: once each, whole loads or none, and no trade told in two ways."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tenants.context import Actor, Scope, TenantContext
from tests.cast import House, build_house
from tests.isolation.database import application, inside
from tests.market import list_instrument
from trading.market import actions, queries
from trading.market.errors import TradeContradicted, UnknownInstrument
from trading.market.models import Tick as StoredTick
from trading.market.models import TickLoad
from trading.market.ticks import Tick
from trading.values import Side

NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)


def tick(symbol: str, number: int = 1, **changes: Any) -> Tick:
    fields = {"at": NOON + timedelta(seconds=number), "price": Decimal("100.5"), **changes}
    return Tick(
        **{
            "symbol": symbol,
            "quantity": Decimal("0.25"),
            "side": Side.BUY,
            "trade_id": number,
            "is_buyer_maker": False,
            **fields,
        }
    )


def stored(symbol: str) -> list[int]:
    return sorted(queries.ticks(symbol).values_list("trade_id", flat=True))


def test_the_same_batch_twice_changes_nothing() -> None:
    symbol = list_instrument().symbol
    batch = [tick(symbol, 1), tick(symbol, 2), tick(symbol, 2)]
    assert actions.load_ticks(batch) == 2
    assert actions.load_ticks(batch) == 0
    assert stored(symbol) == [1, 2]
    assert not TickLoad.objects.filter(symbol=symbol).exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"at": NOON},
        {"at": NOON - timedelta(days=700)},
        {"price": Decimal(101)},
        {"quantity": Decimal(1)},
        {"side": Side.SELL},
        {"is_buyer_maker": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_known_trade_told_otherwise_refuses_the_whole_load(changes: dict[str, Any]) -> None:
    symbol = list_instrument().symbol
    actions.load_ticks([tick(symbol, 1)])
    with pytest.raises(TradeContradicted, match=f"Trade 1 of {symbol}"):
        actions.load_ticks([tick(symbol, 2), tick(symbol, 1, **changes)])
    with pytest.raises(TradeContradicted):
        actions.load_ticks([tick(symbol, 3), tick(symbol, 3, **changes)])
    assert stored(symbol) == [1]


def test_one_trade_id_may_belong_to_two_instruments() -> None:
    first, second = list_instrument().symbol, list_instrument().symbol
    assert actions.load_ticks([tick(first, 1), tick(second, 1, at=NOON)]) == 2


def test_of_two_loads_at_once_one_waits_and_is_refused() -> None:
    symbol = list_instrument().symbol
    outcomes: list[str] = []

    def load(at: datetime) -> None:
        try:
            actions.load_ticks([tick(symbol, 1, at=at)])
            outcomes.append("stored")
        except TradeContradicted:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=load, args=(NOON + timedelta(days=d),)) for d in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "refused", "refused", "stored"]
    assert stored(symbol) == [1]


def test_ticks_of_an_unlisted_instrument_are_refused() -> None:
    with pytest.raises(UnknownInstrument):
        actions.load_ticks([tick("NOBODY/USD")])


def test_a_stored_tick_never_changes_and_never_goes() -> None:
    symbol = list_instrument().symbol
    actions.load_ticks([tick(symbol)])
    for statement in ("UPDATE market_tick SET price = 1", "DELETE FROM market_tick"):
        with application() as cursor, pytest.raises(psycopg.errors.InsufficientPrivilege):
            cursor.execute(statement.encode())


def test_a_tenant_reads_ticks_and_writes_none() -> None:
    symbol = list_instrument().symbol
    actions.load_ticks([tick(symbol)])
    tenant = build_house("starter").tenant
    where = TenantContext(tenant.id, Actor.system("attack"), Scope.TENANT)
    row = (symbol, 2, NOON, 1, 1, "buy", True)
    with inside(where) as cursor:
        cursor.execute("SELECT count(*) FROM market_tick WHERE symbol = %s", [symbol])
        assert cursor.fetchone() == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            cursor.execute(
                "INSERT INTO market_tick (symbol, trade_id, at, price, quantity, side,"
                " is_buyer_maker) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                row,
            )


@pytest.mark.parametrize("name", ["market_tick_default", "market_candle_2024"])
def test_a_partition_is_closed_under_its_own_name(name: str) -> None:
    with application() as cursor, pytest.raises(psycopg.errors.InsufficientPrivilege):
        cursor.execute(f"SELECT count(*) FROM {name}".encode())


def test_a_file_loaded_twice_changes_nothing(tmp_path: Path) -> None:
    symbol = list_instrument().symbol
    file = tmp_path / "ticks.csv"
    header = "at,price,quantity,side,trade_id,is_buyer_maker\n"
    file.write_text(header + "2024-03-04T12:00:00Z,1.5,2,sell,9,true\n")

    def run() -> Any:
        out = StringIO()
        call_command("load_ticks", str(file), "--symbol", symbol, "--json", stdout=out)
        return json.loads(out.getvalue())

    assert run() == {"symbol": symbol, "stored": 1}
    assert run() == {"symbol": symbol, "stored": 0}
    found = StoredTick.objects.get(symbol=symbol)
    assert (found.price, found.side, found.is_buyer_maker) == (Decimal("1.5"), "sell", True)
    file.write_text(header + "2024-03-04T12:00:01Z,1.5,2,sell,9,true\n")
    with pytest.raises(CommandError, match="trade_contradicted"):
        run()


def test_pages_of_ticks_are_newest_first_and_meet_at_their_ends(house: House) -> None:
    symbol = list_instrument().symbol
    at_once = [tick(symbol, number, at=NOON) for number in range(1, 6)]
    actions.load_ticks([*at_once, tick(symbol, 9, at=NOON + timedelta(seconds=1))])
    path = f"instruments/{symbol.replace('/', '-')}/ticks/?page_size=4"
    first = house.alice.get(path).json()
    second = house.alice.get(f"{path}&{first['next'].partition('?')[2]}").json()
    ids = [row["trade_id"] for row in first["results"] + second["results"]]
    assert ids == [9, 5, 4, 3, 2, 1]
    assert second["next"] is None
    shown = {"at": "2024-03-04T12:00:01Z", "price": "100.5", "quantity": "0.25", "side": "buy"}
    assert first["results"][0] == {"trade_id": 9, **shown, "is_buyer_maker": False}
    oldest = house.alice.get(f"{path}&ordering=at").json()["results"]
    assert [row["trade_id"] for row in oldest] == [1, 2, 3, 4]
    later = house.alice.get(f"{path}&start=2024-03-04T12:00:01Z").json()["results"]
    assert [row["trade_id"] for row in later] == [9]
    before = house.alice.get(f"{path}&end=2024-03-04T12:00:00Z").json()["results"]
    assert before == []


def test_ticks_in_another_order_or_of_nobody_are_refused(house: House) -> None:
    symbol = list_instrument().symbol.replace("/", "-")
    assert house.alice.get(f"instruments/{symbol}/ticks/?ordering=price").status_code == 400
    assert house.alice.get("instruments/NOBODY-USD/ticks/").status_code == 404


def test_a_tick_that_python_lets_through_is_stopped_by_the_database() -> None:
    symbol = list_instrument().symbol
    wrong = replace(tick(symbol))
    object.__setattr__(wrong, "price", Decimal(0))
    with pytest.raises(Exception, match="tick_price_and_quantity_are_positive"):
        actions.load_ticks([wrong])
