"""Answers about the market that are the same for all, kept for a moment under keys of nobody's.

The keys are those of the `shared` cache, which know no tenant: only what is made from a symbol
alone may go here. The feed's writes take answers away, and they expire soon by themselves: a reader
who was slower than the feed may have put an old one back.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

import redis
from django.core.cache import caches

from trading.values import plain

_log = logging.getLogger("bulkhead.market")


class Kind(StrEnum):
    INSTRUMENT = "instrument"
    QUOTE = "quote"
    STATISTICS = "statistics"
    BOOK = "book"


_SECONDS = {Kind.INSTRUMENT: 60, Kind.QUOTE: 5, Kind.STATISTICS: 30, Kind.BOOK: 60}
_PRICES = (Kind.QUOTE, Kind.STATISTICS)


def kept(kind: Kind, symbol: str, make: Callable[[str], Mapping[str, Any]]) -> dict[str, Any]:
    """The answer about a symbol in JSON's terms, made from the database where none is kept.

    What `make` raises is raised, and not kept. Without Valkey the answer is made each time.
    """
    cache, key = caches["shared"], _key(kind, symbol)
    try:
        found = cache.get(key)
    except redis.RedisError:
        return dict(make(symbol))
    if found is not None:
        return dict(json.loads(found))
    made = dict(make(symbol))
    try:
        cache.set(key, json.dumps(made), timeout=_SECONDS[kind])
    except redis.RedisError:
        _log.warning("%s of %s could not be kept", kind, symbol)
    return made


def book(symbol: str) -> dict[str, Any]:
    """`bid` and `ask` as a feed has told lately; empty where none has."""
    try:
        found = caches["shared"].get(_key(Kind.BOOK, symbol))
    except redis.RedisError:
        return {}
    return {} if found is None else dict(json.loads(found))


def note_book(symbol: str, bid: Decimal | None, ask: Decimal | None) -> None:
    """Best prices of this moment, which nobody needs to know tomorrow."""
    told = {"bid": None if bid is None else plain(bid), "ask": None if ask is None else plain(ask)}
    try:
        caches["shared"].set(_key(Kind.BOOK, symbol), json.dumps(told), timeout=_SECONDS[Kind.BOOK])
    except redis.RedisError:
        _log.warning("the book of %s could not be noted", symbol)
    _forget([_key(Kind.QUOTE, symbol)])


def forget_prices(symbols: Iterable[str]) -> None:
    """After new bars or ticks."""
    _forget([_key(kind, symbol) for symbol in symbols for kind in _PRICES])


def forget_instruments(symbols: Iterable[str]) -> None:
    """After an instrument has come or changed."""
    _forget([_key(Kind.INSTRUMENT, symbol) for symbol in symbols])


def _forget(keys: list[str]) -> None:
    try:
        caches["shared"].delete_many(keys)
    except redis.RedisError:
        _log.warning("%d answers about the market stay until they expire", len(keys))


def _key(kind: Kind, symbol: str) -> str:
    return f"market:{kind}:{symbol}"
