"""Cutting the candles keeps them, and so does putting them together again."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

from tests.tenants.catalogue.scratch import Scratch, made

_MIGRATION = importlib.import_module("trading.market.migrations.0002_partitions_and_ticks")
_ROWS = """
INSERT INTO market_candle (symbol, timeframe, start, open, high, low, close, volume)
SELECT 'GOOG', '1h', moment, 1, 2, 0.5, 1.5, 7
  FROM generate_series('1980-01-01'::timestamptz, '2040-01-01', '1 month') AS moment;
INSERT INTO market_instrument (symbol, name, asset_class, base, quote, price_increment,
       quantity_increment, min_quantity, tradable)
VALUES ('GOOG', 'Google', 'stock', 'GOOG', 'USD', 0.01, 1, 1, true)
"""
_MATCHED = "SELECT matched_through::text, matched_trade FROM market_instrument"
_COUNT = "SELECT count(*), min(start)::text, sum(volume) FROM market_candle"
_KIND = "SELECT relkind::text FROM pg_class WHERE oid = 'market_candle'::regclass"
_WALL = """
SELECT relrowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid), relacl::text
  FROM pg_class c WHERE oid = 'market_candle'::regclass
"""
_ITEMS = """
SELECT conname::text FROM pg_constraint WHERE conrelid = 'market_candle'::regclass
 UNION SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'market_candle'::regclass
 ORDER BY 1
"""
# `manage.py migrate` only goes forward; Django's own goes both ways, here as the owner.
_MIGRATE = """
import django
django.setup()
from django.core.management import call_command
from django.core.management.commands.migrate import Command
call_command(Command(), "market", {name!r}, database="owner", verbosity=0)
"""


def migrate(scratch: Scratch, name: str) -> None:
    environment = {**os.environ, **scratch.environment}
    subprocess.run([sys.executable, "-c", _MIGRATE.format(name=name)], env=environment, check=True)


def test_candles_outlast_the_migration_both_ways() -> None:
    with made() as scratch:
        connection = scratch.connection
        connection.execute(_ROWS.encode())
        connection.commit()

        def read(sql: str) -> object:
            found = connection.execute(sql.encode()).fetchall()
            connection.rollback()
            return found

        newest = [read(sql) for sql in (_COUNT, _WALL, _ITEMS)]
        migrate(scratch, "0002_partitions_and_ticks")
        before = [read(sql) for sql in (_COUNT, _WALL, _ITEMS)]
        assert read(_KIND) == [("p",)]
        migrate(scratch, "0001_first")
        assert read(_KIND) == [("r",)]
        assert [read(sql) for sql in (_COUNT, _WALL, _ITEMS)] == before
        assert read("SELECT to_regclass('market_tick') IS NULL") == [(True,)]
        migrate(scratch, "0002_partitions_and_ticks")
        assert read(_KIND) == [("p",)]
        assert [read(sql) for sql in (_COUNT, _WALL, _ITEMS)] == before
        migrate(scratch, "0003_tape")
        assert read("SELECT DISTINCT is_on_tape FROM market_candle") == [(True,)]
        migrate(scratch, "0004_what_was_fed")
        assert [read(sql) for sql in (_COUNT, _WALL, _ITEMS)] == newest
        assert read("SELECT DISTINCT is_on_tape FROM market_candle") == [(True,)]
        assert read(_MATCHED) == [("2040-01-01 00:00:00+00", None)]
        assert scratch.gaps() == []


def test_every_year_from_1990_to_2035_has_its_partition() -> None:
    years = [line for line in _MIGRATION.CUT_CANDLES if " FOR VALUES " in line]
    assert len(years) == 46
    assert "market_candle_1990 " in years[0]
    assert "('2035-01-01T00:00:00+00:00') TO ('2036-01-01T00:00:00+00:00')" in years[-1]
