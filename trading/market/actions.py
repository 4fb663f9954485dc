"""Writing the market: instruments, and candles and ticks by COPY."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from tenants.identifiers import new_id
from trading.errors import UnknownInstrument
from trading.market import cached
from trading.market.bars import Bar
from trading.market.errors import TradeContradicted
from trading.market.models import Instrument
from trading.market.ticks import Tick

_COLUMNS = "load_id, symbol, timeframe, start, open, high, low, close, volume"
_VALUES = "symbol, timeframe, start, open, high, low, close, volume"
_COPY = f"COPY market_candleload ({_COLUMNS}) FROM STDIN"
_MERGE = f"""
INSERT INTO market_candle AS c ({_VALUES})
SELECT DISTINCT ON (symbol, timeframe, start) {_VALUES}
  FROM market_candleload WHERE load_id = %s ORDER BY symbol, timeframe, start
ON CONFLICT (symbol, timeframe, start) DO UPDATE
   SET open = excluded.open, high = excluded.high, low = excluded.low,
       close = excluded.close, volume = excluded.volume
 WHERE (c.open, c.high, c.low, c.close, c.volume)
    IS DISTINCT FROM (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume)
"""  # noqa: S608 - joined from the constants above


_TICK_VALUES = "symbol, trade_id, at, price, quantity, side, is_buyer_maker"
_COPY_TICKS = f"COPY market_tickload (load_id, place, {_TICK_VALUES}) FROM STDIN"
# Whoever loads trades of an instrument waits here: two may not bring one id with two times.
_LOCK_INSTRUMENTS = """
SELECT symbol FROM market_instrument WHERE symbol IN
       (SELECT l.symbol FROM market_tickload l WHERE l.load_id = %s) ORDER BY symbol
   FOR NO KEY UPDATE
"""
_UNLISTED = """
SELECT l.symbol FROM market_tickload l WHERE l.load_id = %s
   AND NOT EXISTS (SELECT FROM market_instrument i WHERE i.symbol = l.symbol) LIMIT 1
"""
_CONTRADICTED = """
SELECT l.symbol, l.trade_id FROM market_tickload l
  JOIN market_tick t ON (t.symbol, t.trade_id) = (l.symbol, l.trade_id)
 WHERE l.load_id = %(load)s AND (t.at, t.price, t.quantity, t.side, t.is_buyer_maker)
    <> (l.at, l.price, l.quantity, l.side, l.is_buyer_maker)
 UNION ALL
SELECT symbol, trade_id FROM market_tickload WHERE load_id = %(load)s GROUP BY symbol, trade_id
HAVING count(DISTINCT (at, price, quantity, side, is_buyer_maker)) > 1
 LIMIT 1
"""
_MERGE_TICKS = f"""
INSERT INTO market_tick ({_TICK_VALUES})
SELECT DISTINCT {_TICK_VALUES} FROM market_tickload WHERE load_id = %s
 ORDER BY symbol, trade_id, at
ON CONFLICT (symbol, trade_id, at) DO NOTHING
"""  # noqa: S608 - joined from the constants above


def ensure_instrument(instrument: Instrument) -> None:
    """Store an instrument unless its symbol is known."""
    Instrument.objects.bulk_create([instrument], ignore_conflicts=True)
    transaction.on_commit(partial(cached.forget_instruments, [instrument.symbol]))


def load(bars: Iterable[Bar]) -> int:
    """Store bars, all or none, by COPY; the same bars again change nothing.

    Gives the number of candles that are new or changed. Raises IntegrityError naming the constraint
    for a bar that contradicts itself.
    """
    load_id, symbols = new_id(), set()
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            for bar in bars:
                symbols.add(bar.symbol)
                copy.write_row((load_id, *_row(bar)))
        cursor.execute(_MERGE, [load_id])
        stored = int(cursor.rowcount)
        cursor.execute("DELETE FROM market_candleload WHERE load_id = %s", [load_id])
        if stored:
            transaction.on_commit(partial(cached.forget_prices, symbols))
    return stored


def load_ticks(ticks: Iterable[Tick]) -> int:
    """Store trades, all or none, by COPY; the same trades again change nothing.

    Gives the number of ticks that are new. Raises TradeContradicted for a trade id that is known
    with another time, price, quantity or side, and UnknownInstrument.
    """
    load_id, symbols = new_id(), set()
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(_COPY_TICKS) as copy:
            for place, tick in enumerate(ticks):
                symbols.add(tick.symbol)
                copy.write_row((load_id, place, *_tick_row(tick)))
        _check_ticks(cursor, load_id)
        cursor.execute(_MERGE_TICKS, [load_id])
        stored = int(cursor.rowcount)
        cursor.execute("DELETE FROM market_tickload WHERE load_id = %s", [load_id])
        if stored:
            transaction.on_commit(partial(cached.forget_prices, symbols))
    return stored


def note_book(symbol: str, *, bid: Decimal | None, ask: Decimal | None) -> None:
    """Best prices as a feed tells them, in the quote currency; they are forgotten soon."""
    cached.note_book(symbol, bid, ask)


def _check_ticks(cursor: Any, load_id: UUID) -> None:
    """Lock the instruments of a load, and raise what speaks against it."""
    cursor.execute(_UNLISTED, [load_id])
    if unlisted := cursor.fetchone():
        raise UnknownInstrument(f"There is no instrument {unlisted[0]}.")
    cursor.execute(_LOCK_INSTRUMENTS, [load_id])
    cursor.execute(_CONTRADICTED, {"load": load_id})
    if found := cursor.fetchone():
        raise TradeContradicted(f"Trade {found[1]} of {found[0]} is known otherwise.")


def _tick_row(tick: Tick) -> tuple[object, ...]:
    numbers = (tick.price, tick.quantity)
    return (tick.symbol, tick.trade_id, tick.at, *numbers, tick.side.value, tick.is_buyer_maker)


def _row(bar: Bar) -> tuple[object, ...]:
    prices = (bar.open, bar.high, bar.low, bar.close)
    return (bar.symbol, bar.timeframe, bar.start, *prices, bar.volume)
