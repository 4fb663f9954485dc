"""One call about an order to its exchange, outside of every transaction, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

from trading.brokers.credentials import Keys
from trading.orders.models import VenueIntent
from trading.venues.client import Client
from trading.venues.errors import (
    KeysRefused,
    OrderUnknown,
    OutcomeUnknown,
    TryLater,
    VenueError,
    VenueRefused,
)
from trading.venues.facts import Ticket, VenueOrder, VenueTrade

# An order that could not be placed for so long is not what was asked for any more.
STALE = timedelta(minutes=5)


class Outcome(Enum):
    DONE = auto()
    REFUSED = auto()  # for good
    KEYS_REFUSED = auto()
    LATER = auto()  # nothing has happened
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Call:
    """A claimed intent, and all that is needed outside of the transaction."""

    intent_id: UUID
    kind: str
    attempts: int
    exchange: str
    keys: Keys = field(repr=False)
    ticket: Ticket
    venue_order_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call; the order and its trades as far as they have been seen."""

    outcome: Outcome
    code: str = ""
    venue_order_id: str = ""
    order: VenueOrder | None = None
    trades: tuple[VenueTrade, ...] = ()


def make(call: Call, *, now: datetime) -> Answer:
    """Ask or tell the exchange. Raises nothing that an exchange can be the cause of."""
    try:
        client = Client(call.exchange, call.keys)
        client.prepare()
        if call.kind == VenueIntent.Kind.CANCEL:
            return _cancel(client, call, now)
    except (OutcomeUnknown, TryLater) as fault:
        return Answer(_unsent(call), fault.code)
    except VenueError as fault:
        return _before(call, fault)
    return _place(client, call, now)


def _place(client: Client, call: Call, now: datetime) -> Answer:
    """A second attempt asks first whether an earlier one has arrived."""
    try:
        if call.attempts > 1:
            found = client.find(call.ticket)
            if found is not None:
                return _seen(client, call, found.id, now)
            if now >= call.ticket.created_at + STALE:
                return Answer(Outcome.REFUSED, "venue_unreachable")
    except VenueError as fault:
        return _before(call, fault)
    try:
        return _seen(client, call, client.place(call.ticket), now)
    except VenueError as fault:
        return _answer(call, fault)


def _cancel(client: Client, call: Call, now: datetime) -> Answer:
    """What the exchange has no longer open is looked at as well: it may have been filled."""
    code = ""
    try:
        client.cancel(call.venue_order_id, call.ticket.symbol)
    except OrderUnknown as fault:
        code = fault.code
    except VenueError as fault:
        return _answer(call, fault)
    seen = _seen(client, call, call.venue_order_id, now)
    return Answer(seen.outcome, code, seen.venue_order_id, seen.order, seen.trades)


def _seen(client: Client, call: Call, venue_order_id: str, now: datetime) -> Answer:
    """Done, and what has become of the order since; should that not be heard, a timer asks."""
    try:
        symbol = call.ticket.symbol
        order = client.order(venue_order_id, symbol)
        trades: tuple[VenueTrade, ...] = ()
        if order.filled:
            since = call.ticket.created_at - timedelta(minutes=1)
            known = client.trades([symbol], since=since, now=now)
            trades = tuple(trade for trade in known.rows if trade.order_id == venue_order_id)
    except VenueError as fault:
        return Answer(Outcome.DONE, fault.code, venue_order_id)
    return Answer(Outcome.DONE, "", venue_order_id, order, trades)


def _unsent(call: Call) -> Outcome:
    """What a call is that ended before it could change anything: an earlier one may have."""
    return Outcome.LATER if call.attempts == 1 else Outcome.UNKNOWN


def _before(call: Call, fault: VenueError) -> Answer:
    """Of a call that did not get as far as to change anything; an earlier one may have."""
    if call.attempts > 1 and not isinstance(fault, KeysRefused):
        return Answer(Outcome.UNKNOWN, fault.code)
    return _answer(call, fault)


def _answer(call: Call, fault: VenueError) -> Answer:
    if isinstance(fault, KeysRefused):
        return Answer(Outcome.KEYS_REFUSED, fault.code)
    if isinstance(fault, TryLater):
        return Answer(_unsent(call), fault.code)
    if isinstance(fault, VenueRefused):
        return Answer(Outcome.REFUSED, fault.code)
    return Answer(Outcome.UNKNOWN, fault.code)
