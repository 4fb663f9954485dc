"""ccxt at arm's length: its object for one exchange, its exceptions as ours, its markets kept.

Only what runs in a worker may import this: ccxt takes half a second and its memory with it.
"""

from __future__ import annotations

import binascii
import json
import time
from collections.abc import Callable
from decimal import localcontext
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import ccxt
from django.conf import settings

from trading.venues.errors import (
    KeysRefused,
    OrderUnknown,
    OutcomeUnknown,
    TryLater,
    VenueError,
    VenueRefused,
)

# Milliseconds, of one call.
TIMEOUT = 10_000
# Public and the same for all, so kept for the process; by exchange and address.
_MARKETS_KEPT = 3_600.0  # seconds
_markets: dict[tuple[str, str], tuple[float, Any]] = {}
# Wrong keys in words that ccxt does not know, and takes for any refusal.
_WRONG_KEYS = ("EAPI:Invalid signature",)
# A question without a symbol costs more of the rate limit: said to be known, it is asked.
_OPTIONS: dict[str, Any] = {"warnOnFetchOpenOrdersWithoutSymbol": False}
# Futures are listed at other addresses, and not traded from here.
_OPTIONS_OF: dict[str, dict[str, Any]] = {"binance": {"fetchMarkets": {"types": ["spot"]}}}
# The first that fits: special ones come before what they are special cases of.
_KINDS: tuple[tuple[type[Exception], type[VenueError], str], ...] = (
    (ccxt.RateLimitExceeded, TryLater, "rate_limited"),
    (ccxt.DDoSProtection, TryLater, "rate_limited"),
    (ccxt.InvalidNonce, TryLater, "out_of_turn"),
    (ccxt.CancelPending, TryLater, "cancel_pending"),
    (ccxt.AuthenticationError, KeysRefused, "credentials_refused"),
    (ccxt.OrderNotFound, OrderUnknown, "order_unknown"),
    (ccxt.InsufficientFunds, VenueRefused, "insufficient_funds"),
    (ccxt.InvalidOrder, VenueRefused, "invalid_order"),
    (ccxt.BadSymbol, VenueRefused, "not_listed"),
    (ccxt.NotSupported, VenueRefused, "unsupported_order"),
    (ccxt.OperationFailed, OutcomeUnknown, "no_answer"),
    # A secret that is not even written as one of this exchange's.
    (binascii.Error, KeysRefused, "credentials_refused"),
)
_Answer = TypeVar("_Answer")


def ask(call: Callable[[], _Answer]) -> _Answer:
    """ccxt's exceptions as ours: theirs, which may quote what was sent, go no further.

    ccxt also changes the decimal context of its thread; that is given back.
    """
    try:
        with localcontext():
            return call()
    except VenueError:
        raise
    except (ccxt.BaseError, ArithmeticError, ValueError, LookupError, TypeError, OSError) as theirs:
        fault = _named(theirs)
    # Outside of the handler, so that the other one is not even its context.
    raise fault


def _named(theirs: Exception) -> VenueError:
    for kind, ours, code in _KINDS:
        if isinstance(theirs, kind):
            return ours(code)
    if any(text in str(theirs) for text in _WRONG_KEYS):
        return KeysRefused("credentials_refused")
    if isinstance(theirs, ccxt.ExchangeError):
        return VenueRefused("refused_by_venue")
    return OutcomeUnknown("no_answer")


def api(exchange: str, **keys: str) -> Any:
    """ccxt's object for one exchange; numbers stay text on their way to Decimal."""
    made = getattr(ccxt, exchange, None) if exchange in ccxt.exchanges else None
    if made is None:
        raise VenueRefused("unknown_exchange")
    theirs = made(
        {
            **keys,
            "timeout": TIMEOUT,
            "enableRateLimit": settings.VENUES_ARE_PACED,
            "number": str,
            "options": _OPTIONS | _OPTIONS_OF.get(exchange, {}),
            "on_json_response": partial(json.loads, parse_float=str),
        }
    )
    base = settings.VENUE_URLS.get(exchange)
    if base:
        theirs.urls["api"] = _moved(theirs.urls["api"], base)
    return theirs


def listed(exchange: str) -> Any:
    """An object without keys that knows the exchange's markets."""
    place = (exchange, str(settings.VENUE_URLS.get(exchange, "")))
    until, kept = _markets.get(place, (0.0, None))
    if kept is None or time.monotonic() > until:
        kept = api(exchange)
        kept.load_markets()
        _markets[place] = (time.monotonic() + _MARKETS_KEPT, kept)
    return kept


def _moved(urls: Any, base: str) -> Any:
    """The same addresses at another host."""
    if isinstance(urls, dict):
        return {name: _moved(url, base) for name, url in urls.items()}
    if not isinstance(urls, str):
        return urls
    to = urlsplit(base)
    return urlunsplit(urlsplit(urls)._replace(scheme=to.scheme, netloc=to.netloc))
