"""The bundled history: its opening is a past that nobody met, and goes on as the tape."""

from __future__ import annotations

from itertools import islice

from tests.cast import now
from trading.market import bundle, queries
from trading.orders import feed


def test_the_replay_goes_on_where_the_loaded_history_ends() -> None:
    bundle.load_opening()
    assert bundle.load_opening() == 0
    symbols = bundle.symbols()
    # One is younger than what is held back.
    assert [q.symbol for q in queries.quotes(symbols).values() if not q.price] == ["FB"]
    moments = list(islice(bundle.upcoming(), 2))
    for bar in moments[0]:
        feed.feed(bar, now=now())
        assert queries.quote(bar.symbol) == queries.Quote(bar.symbol, bar.close, bar.place)
    assert next(bundle.upcoming()) == moments[1]
    assert feed.recover(symbols, now=now()) == 0
    assert not set(symbols) & set(queries.unmatched())
