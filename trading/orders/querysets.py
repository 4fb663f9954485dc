"""Which orders are meant: those in the market, those that a price can change, those to be told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q

from trading.market.bars import Bar
from trading.market.places import Place
from trading.market.ticks import Tick
from trading.orders.states import OPEN
from trading.values import OrderType, Side, TimeInForce

OPEN_STATUSES = sorted(status.value for status in OPEN)
# Longer than all the calls of one attempt can take: whoever was calling then is dead.
ABANDONED = timedelta(seconds=150)


class OrderQuerySet(models.QuerySet[Any]):
    def open(self) -> OrderQuerySet:
        return self.filter(status__in=OPEN_STATUSES)

    def for_instrument(self, symbol: str) -> OrderQuerySet:
        return self.filter(instrument=symbol)

    def out_of_time(self, now: datetime) -> OrderQuerySet:
        """Those whose date has come by the clock.

        A day order that came after its day is one of a replay, whose day is the market's.
        """
        by_clock = Q(time_in_force=TimeInForce.GTD)
        by_clock |= Q(time_in_force=TimeInForce.DAY, expires_at__gt=F("created_at"))
        return self.filter(by_clock, expires_at__lte=now)

    def yet_to_meet(self, place: Place) -> OrderQuerySet:
        """Those to which what stands at a place on the tape is news."""
        behind = Q(matched_through=None) | Q(matched_through__lt=place.at)
        if place.trade_id is not None:
            behind |= Q(matched_through=place.at, matched_trade__lt=place.trade_id)
        return self.filter(behind)

    def touched_by(self, printed: Bar | Tick) -> OrderQuerySet:
        """What a bar or tick can change, and perhaps more; says the same as `levels` of each."""
        low, high = printed.low, printed.high
        buys, sells = Q(side=Side.BUY), Q(side=Side.SELL)
        limited = Q(type=OrderType.LIMIT) | Q(type=OrderType.STOP_LIMIT, is_triggered=True)
        stopped = Q(type__in=[OrderType.STOP, OrderType.STOP_LIMIT], is_triggered=False)
        return self.filter(
            Q(is_resting=False)
            | Q(type__in=[OrderType.MARKET, OrderType.TRAILING_STOP])
            | Q(type=OrderType.STOP, is_triggered=True)
            | limited & (buys & Q(limit_price__gte=low) | sells & Q(limit_price__lte=high))
            | stopped & (buys & Q(stop_price__lte=high) | sells & Q(stop_price__gte=low))
            | Q(expires_at__lte=printed.end)
        )


class VenueIntentQuerySet(models.QuerySet[Any]):
    def outstanding(self) -> VenueIntentQuerySet:
        """What the venue has not answered for good."""
        return self.filter(state__in=["pending", "calling", "unknown"])

    def due(self, now: datetime) -> VenueIntentQuerySet:
        """What may be carried out now: nobody is at it, or whoever was is dead."""
        waiting = Q(state__in=["pending", "unknown"], due_at__lte=now)
        return self.filter(waiting | Q(state="calling", called_at__lte=now - ABANDONED))
