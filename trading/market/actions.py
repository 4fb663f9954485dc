"""Writing the market: instruments, and candles and ticks by COPY."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from tenants.identifiers import new_id
from trading.market import cached, queries
from trading.market.bars import Bar
from trading.market.errors import TradeContradicted, UnknownInstrument
from trading.market.models import Instrument
from trading.market.places import Place
from trading.market.ticks import Tick

_log = logging.getLogger("bulkhead.market")
_VALUES = "symbol, timeframe, start, open, high, low, close, volume"
_COPY = f"COPY market_candleload (load_id, {_VALUES}) FROM STDIN"
# A bar on the tape stays as orders met it.
_MERGE = f"""
INSERT INTO market_candle AS c ({_VALUES}, is_on_tape)
SELECT DISTINCT ON (symbol, timeframe, start) {_VALUES}, %(is_on_tape)s
  FROM market_candleload WHERE load_id = %(load)s ORDER BY symbol, timeframe, start
ON CONFLICT (symbol, timeframe, start) DO UPDATE
   SET open = excluded.open, high = excluded.high, low = excluded.low,
       close = excluded.close, volume = excluded.volume
 WHERE NOT c.is_on_tape AND (c.open, c.high, c.low, c.close, c.volume)
    IS DISTINCT FROM (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume)
"""  # noqa: S608 - joined from the constants above
_KEPT = """
SELECT count(*) FROM market_candleload l JOIN market_candle c USING (symbol, timeframe, start)
 WHERE l.load_id = %(load)s AND (c.open, c.high, c.low, c.close, c.volume)
    <> (l.open, l.high, l.low, l.close, l.volume)
"""


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
INSERT INTO market_tick ({_TICK_VALUES}, is_on_tape)
SELECT DISTINCT {_TICK_VALUES}, %s FROM market_tickload WHERE load_id = %s
 ORDER BY symbol, trade_id, at
ON CONFLICT (symbol, trade_id, at) DO NOTHING
"""  # noqa: S608 - joined from the constants above


def ensure_instrument(instrument: Instrument) -> None:
    """Store an instrument unless its symbol is known."""
    Instrument.objects.bulk_create([instrument], ignore_conflicts=True)
    transaction.on_commit(partial(cached.forget_instruments, [instrument.symbol]))


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many candles are new or changed, and how many stay otherwise: orders have met those."""

    stored: int
    kept: int


def load(bars: Iterable[Bar]) -> Loaded:
    """Store bars as history, all or none, by COPY; the same bars again change nothing.

    Of a bar that is on the tape other numbers are not taken. Raises IntegrityError naming the
    constraint for a bar that contradicts itself.
    """
    return _load(bars, is_on_tape=False)


def load_ticks(ticks: Iterable[Tick]) -> int:
    """Store trades of the past, all or none, by COPY; the same trades again change nothing.

    Gives the number of ticks that are new. Raises TradeContradicted for a trade id that is known
    with another time, price, quantity or side, and UnknownInstrument.
    """
    return _load_ticks(ticks, is_on_tape=False)


def put(printed: Bar | Tick) -> None:
    """Store what a feed brings: on the tape, where orders meet it, if it comes after all there.

    What comes late, or was loaded before, is history; nothing on the tape overlaps. Feeders of one
    instrument stand in a row. Raises what `load` and `load_ticks` raise.
    """
    with transaction.atomic():
        list(Instrument.objects.select_for_update(no_key=True).filter(symbol=printed.symbol))
        is_next = _is_next(printed, queries.newest(printed.symbol))
        if isinstance(printed, Tick):
            _load_ticks([printed], is_on_tape=is_next)
        elif _load([printed], is_on_tape=is_next).kept:
            where = (printed.symbol, printed.timeframe, printed.place.key)
            _log.warning("%s %s of %s came otherwise: it stays as orders met it", *where)


def note_matched(symbol: str, place: Place) -> None:
    """Everybody has met the tape up to this place; nobody goes back."""
    before = Q(matched_through=None) | Q(matched_through__lt=place.at)
    if place.trade_id is not None:
        before |= Q(matched_through=place.at, matched_trade__lt=place.trade_id)
    behind = Instrument.objects.filter(before, symbol=symbol)
    behind.update(matched_through=place.at, matched_trade=place.trade_id)


def _is_next(printed: Bar | Tick, newest: Bar | Tick | None) -> bool:
    """A bar has told all before its end, and a tick all before it and of its moment all bars."""
    if newest is None:
        return True
    if isinstance(newest, Bar):
        return printed.start >= newest.end
    if isinstance(printed, Bar):
        return printed.start > newest.at
    return printed.place.is_after(newest.place)


def _load(bars: Iterable[Bar], *, is_on_tape: bool) -> Loaded:
    load_id, symbols = new_id(), set()
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            for bar in bars:
                symbols.add(bar.symbol)
                copy.write_row((load_id, *_row(bar)))
        cursor.execute(_MERGE, {"load": load_id, "is_on_tape": is_on_tape})
        stored = int(cursor.rowcount)
        cursor.execute(_KEPT, {"load": load_id})
        kept = int(cursor.fetchone()[0])
        cursor.execute("DELETE FROM market_candleload WHERE load_id = %s", [load_id])
        if stored:
            transaction.on_commit(partial(cached.forget_prices, symbols))
    return Loaded(stored, kept)


def _load_ticks(ticks: Iterable[Tick], *, is_on_tape: bool) -> int:
    load_id, symbols = new_id(), set()
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(_COPY_TICKS) as copy:
            for place, tick in enumerate(ticks):
                symbols.add(tick.symbol)
                copy.write_row((load_id, place, *_tick_row(tick)))
        _check_ticks(cursor, load_id)
        cursor.execute(_MERGE_TICKS, [is_on_tape, load_id])
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
