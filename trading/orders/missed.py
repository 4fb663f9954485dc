"""What an account has missed of the tape: its tenant was suspended, or is put back to another day.

Prices pass such a tenant by, and the instruments' marks go on without it. Its row says when it
returned, and each account with which return it has caught up. One that has not reads the tape from
where its orders stand, each from its own place: only what reaches their levels, for nothing else
changes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from accounts.audit import actions as audit
from trading.brokers.models import Account
from trading.market import tape
from trading.market.bars import Bar
from trading.market.places import Place
from trading.market.queries import Tip
from trading.market.ticks import Tick
from trading.market.waiting import Wait
from trading.orders import endings, levels, working_orders
from trading.orders.levels import Levels
from trading.orders.models import Order
from trading.orders.querysets import OrderQuerySet
from trading.orders.states import OrderStatus


def unmet(account: Account, symbol: str, tip: Tip, *, now: datetime) -> Iterator[Bar | Tick]:
    """What a locked account has yet to meet, up to the end of the tape as it was found.

    Each has to be met before the next is asked for. Of an account that has missed something, orders
    whose time was over before it came end first: the timer would have ended them. The end of the
    tape is looked up before: what passed the tenant by until then shows in its row by now.
    """
    if not Account.objects.behind().filter(pk=account.pk).exists():
        return iter(tape.unmatched(symbol, tip))
    return _passed_by(account, symbol, tip.place, now)


def _passed_by(
    account: Account, symbol: str, up_to: Place | None, now: datetime
) -> Iterator[Bar | Tick]:
    met: Place | None = None
    while up_to is not None and account.status == Account.Status.ACTIVE:
        printed = tape.first(symbol, _waits(account, symbol, met), up_to)
        if printed is None:
            return
        _expire_before(printed, account, now)
        yield printed
        met = printed.place


def _waits(account: Account, symbol: str, met: Place | None) -> list[Wait]:
    """For what touches the account's orders next, after what it has met just now."""
    found: dict[Place | None, list[Levels]] = {}
    for order in _in_market(account, symbol):
        waiting = levels.of(working_orders.waiting(order))
        found.setdefault(_later(order.place_met, met), []).append(waiting)
    return [_wait(place, together) for place, together in found.items()]


def _wait(after: Place | None, together: list[Levels]) -> Wait:
    """For any of the orders that stand at one place."""
    below = [each.below for each in together if each.below is not None]
    above = [each.above for each in together if each.above is not None]
    until = [each.until for each in together if each.until is not None]
    return Wait(
        after=after,
        at_once=any(each.at_once for each in together),
        below=max(below, default=None),
        above=min(above, default=None),
        until=min(until, default=None),
    )


def _later(known: Place | None, met: Place | None) -> Place | None:
    if known is None or met is None:
        return known or met
    return met if met.is_after(known) else known


def _expire_before(printed: Bar | Tick, account: Account, now: datetime) -> None:
    """End the account's orders whose date came, by the clock, while this was still going on."""
    late = _in_market(account, printed.symbol).out_of_time(now)
    late = late.filter(expires_at__lt=printed.end).yet_to_meet(printed.place)
    for order_id in late.order_by("id").values_list("id", flat=True):
        order = late.select_for_update().filter(pk=order_id).first()
        if order is not None:  # else it has ended with another
            order.account = account
            for ended in endings.expire(order, now=now, after=order.place_met):
                before = {"status": ended.was.value}
                audit.record(ended.action, on=ended.order, before=before, after=ended.said)


def _in_market(account: Account, symbol: str) -> OrderQuerySet:
    rows = Order.objects.open().filter(account=account).for_instrument(symbol)
    return rows.exclude(status=OrderStatus.INITIALIZED)
