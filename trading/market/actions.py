"""Writing the market: instruments, and candles by COPY."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

from tenants.identifiers import new_id
from trading.market.bars import Bar
from trading.market.models import Instrument

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


def ensure_instrument(instrument: Instrument) -> None:
    """Store an instrument unless its symbol is known."""
    Instrument.objects.bulk_create([instrument], ignore_conflicts=True)


def load(bars: Iterable[Bar]) -> int:
    """Store bars, all or none, by COPY; the same bars again change nothing.

    Gives the number of candles that are new or changed. Raises IntegrityError naming the constraint
    for a bar that contradicts itself.
    """
    load_id = new_id()
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            for bar in bars:
                copy.write_row((load_id, *_row(bar)))
        cursor.execute(_MERGE, [load_id])
        stored = int(cursor.rowcount)
        cursor.execute("DELETE FROM market_candleload WHERE load_id = %s", [load_id])
    return stored


def _row(bar: Bar) -> tuple[object, ...]:
    prices = (bar.open, bar.high, bar.low, bar.close)
    return (bar.symbol, bar.timeframe, bar.start, *prices, bar.volume)
