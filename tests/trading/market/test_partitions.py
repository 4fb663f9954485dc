"""Room for the months to come: bounds, names, and the DEFAULT that has to be empty."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from tests.isolation.database import connected
from tests.market import list_instrument
from tests.trading.market.test_loading_ticks import tick
from trading.market import actions, partitioning, queries
from trading.market.partitions import CANDLES, TICKS
from trading.market.tasks import make_partitions


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def lies_in(table: str, symbol: str) -> set[str]:
    with connected("DATABASE_SUPERUSER_URL") as connection:
        rows = connection.execute(
            f"SELECT DISTINCT tableoid::regclass::text FROM {table} WHERE symbol = %s".encode(),
            [symbol],
        )
        return {name for (name,) in rows}


@pytest.mark.parametrize(
    ("table", "at", "name", "start", "end"),
    [
        (TICKS, "2024-12-31T23:59", "market_tick_2024_12", "2024-12-01", "2025-01-01"),
        (TICKS, "2024-01-01", "market_tick_2024_01", "2024-01-01", "2024-02-01"),
        (CANDLES, "2024-12-31T23:59", "market_candle_2024", "2024-01-01", "2025-01-01"),
    ],
)
def test_a_moment_has_one_partition(table: Any, at: str, name: str, start: str, end: str) -> None:
    found = table.around(moment(at))
    assert (found.name, found.start, found.end) == (name, moment(start), moment(end))


def test_ahead_is_this_month_and_those_to_come() -> None:
    names = [partition.name[-7:] for partition in TICKS.ahead(moment("2024-11-30"), 2)]
    assert names == ["2024_11", "2024_12", "2025_01"]
    years = [partition.name[-4:] for partition in CANDLES.ahead(moment("2024-11-30"), 2)]
    assert years == ["2024", "2025"]


def test_candles_lie_in_their_year_and_those_of_no_year_in_the_default() -> None:
    market = list_instrument()
    bar = market.print_bar(open="1", high="1", low="1", close="1")
    assert lies_in("market_candle", market.symbol) == {f"market_candle_{bar.start.year}"}
    old = list_instrument()
    object.__setattr__(
        early := old.bar(open="1", high="1", low="1", close="1"), "start", moment("1970-01-05")
    )
    actions.load([early])
    assert lies_in("market_candle", old.symbol) == {"market_candle_default"}
    assert queries.quote(old.symbol).price == 1


def test_ticks_that_came_before_their_partition_are_moved_into_it() -> None:
    symbol, far = list_instrument().symbol, moment("2091-05-31T23:59:59")
    actions.load_ticks([tick(symbol, 1, at=far), tick(symbol, 2, at=far + timedelta(seconds=1))])
    assert lies_in("market_tick", symbol) == {"market_tick_default"}
    made = partitioning.make(months=0, now=moment("2024-01-15"))
    assert {"market_tick_2091_05", "market_tick_2091_06"} <= set(made.partitions)
    assert made.moved >= 2
    assert made.left == 0
    assert lies_in("market_tick", symbol) == {"market_tick_2091_05", "market_tick_2091_06"}
    # The key, the checks and the trigger came along.
    assert actions.load_ticks([tick(symbol, 1, at=far)]) == 0
    with connected("DATABASE_OWNER_URL") as connection:
        for name in ("market_tick_2091_05", "market_tick_default"):
            with pytest.raises(psycopg.Error), connection.transaction():
                connection.execute(f"UPDATE {name} SET price = -1".encode())
                connection.execute(
                    f"INSERT INTO {name} SELECT 'x', 1, '2091-05-01', -1, 1, 'buy', true".encode()
                )


def test_the_command_can_run_twice() -> None:
    def run() -> Any:
        out = StringIO()
        call_command("make_partitions", "--months", "2", "--json", stdout=out)
        return json.loads(out.getvalue())

    run()
    assert run() == {"partitions": [], "moved": 0, "left": 0}


@pytest.mark.parametrize("months", ["-1", "100000"])
def test_the_command_makes_no_odd_number_of_months(months: str) -> None:
    with pytest.raises(CommandError, match="between 0 and"):
        call_command("make_partitions", "--months", months)


def test_the_job_makes_room_for_now() -> None:
    make_partitions()
    symbol = list_instrument().symbol
    at = datetime.now(UTC)
    actions.load_ticks([tick(symbol, 1, at=at)])
    assert lies_in("market_tick", symbol) == {TICKS.around(at).name}


def test_two_jobs_at_once_make_each_partition_once() -> None:
    made: list[str] = []

    def run() -> None:
        try:
            made.extend(partitioning.make(months=2, now=moment("2093-01-15")).partitions)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ours = sorted(name for name in made if "_2093" in name)
    months = [f"market_tick_2093_{month:02}" for month in (1, 2, 3)]
    assert ours == ["market_candle_2093", *months]


def test_without_the_owners_log_in_no_table_is_touched() -> None:
    code = (
        "import django; django.setup()\n"
        "from datetime import UTC, datetime\n"
        "from trading.market import partitioning\n"
        "partitioning.make(months=0, now=datetime.now(UTC))"
    )
    environment = {**os.environ, "DATABASE_OWNER_URL": ""}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "OwnerLoginMissing" in ran.stderr
