"""Books that add up, whatever an exchange answers and in whatever order it happens."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.cast import House, job
from tests.trading.venues.desk import Desk, Seat
from tests.trading.venues.exchange import Exchange, Fault
from trading.models import Balance, Order, VenueIntent

pytestmark = pytest.mark.by_turns

# The suite tries a few; more by VENUE_SEEDS.
SEEDS = range(int(os.environ.get("VENUE_SEEDS", "3")))
STEPS = 40
FAULTS = (
    Fault(status=503),
    Fault(status=503, is_after=True),
    Fault(status=429),
    Fault(error="EOrder:Insufficient funds"),
    Fault(error="EService:Busy"),
    Fault(error="EAPI:Invalid nonce"),
    Fault(error="EService:Unavailable", is_after=True),
)
READS = ("QueryOrders", "TradesHistory", "OpenOrders", "BalanceEx")
ASKED = (*["AddOrder"] * 4, *["CancelOrder"] * 2, *READS)


class Day:
    """What can happen in a trader's day, one thing after the other, as the dice fall."""

    def __init__(self, dice: random.Random, desk: Desk, seat: Seat) -> None:
        self.dice, self.desk, self.seat, self.exchange = dice, desk, seat, desk.exchange

    def happen(self) -> None:
        happenings: list[Callable[[], None]] = [
            self.buy,
            self.sell,
            self.cancel,
            self.be_filled,
            self.be_filled,
            self.be_canceled,
            self.move_money,
            self.trade_elsewhere,
            self.fail,
            self.fail,
            self.work,
            self.work,
            self.compare,
        ]
        self.dice.choice(happenings)()

    def buy(self) -> None:
        self._ask(side="buy", **self._kind("buy"))

    def sell(self) -> None:
        self._ask(side="sell", **self._kind("sell"))

    def cancel(self) -> None:
        with job(self.seat.person.tenant):
            rows = Order.objects.open().filter(account=self.seat.account)
            ids = [str(key) for key in rows.order_by("id").values_list("id", flat=True)]
        if ids:
            self.seat.person.request("DELETE", f"orders/{self.dice.choice(ids)}/")

    def be_filled(self) -> None:
        """An open order, or one that has just been taken back."""
        left = {
            txid: Decimal(order["vol"]) - Decimal(order["vol_exec"])
            for txid, order in self.seat.holder.orders.items()
            if order["status"] in ("open", "canceled") and order["cl_ord_id"]
        }
        txid = self.dice.choice(list(left)) if left else None
        if txid is None or not left[txid]:
            return
        part = left[txid] * self.dice.choice((1, 1, 2)) / 2
        price = self.seat.holder.orders[txid]["descr"]["price"]
        price = price if Decimal(price) else "100"
        self.exchange.execute(txid, f"{min(part, left[txid])}", price, fee="0.013")

    def be_canceled(self) -> None:
        ours = [t for t, o in self.seat.holder.orders.items() if o["status"] == "open"]
        if ours:
            self.exchange.cancel(self.dice.choice(ours), self.dice.choice(("canceled", "expired")))

    def move_money(self) -> None:
        amount = self.dice.choice((-7, 13, 200))
        self.seat.holder.totals["USD"] = max(self.seat.holder.totals["USD"] + amount, Decimal(0))

    def trade_elsewhere(self) -> None:
        txid = self.exchange.place_elsewhere(self.seat.holder, self.desk.market.symbol, "buy", "1")
        self.exchange.execute(txid, "1", "1", fee="0.01")

    def fail(self) -> None:
        self.exchange.fail(self.dice.choice(ASKED), self.dice.choice(FAULTS))

    def work(self) -> None:
        later = self.dice.choice((0, 6, 20, 400))
        self.desk.work(self.seat, later=timedelta(seconds=later))

    def compare(self) -> None:
        self.desk.reconcile(self.seat)

    def _kind(self, side: str) -> dict[str, str]:
        quantity = self.dice.choice(("1", "2", "0.5"))
        if self.dice.random() < 0.4:
            return {"type": "market", "quantity": quantity}
        prices = ("90", "99.5") if side == "buy" else ("100.5", "120")
        return {"type": "limit", "quantity": quantity, "limit_price": self.dice.choice(prices)}

    def _ask(self, **asked: str) -> None:
        """The answer may well be no: there is nothing to sell, or to pay with."""
        self.exchange.market_price = Decimal(self.dice.choice(("99", "101", "103")))
        body = self.desk.asked(self.seat, **asked)
        assert self.seat.person.post("orders/", body).status_code in (201, 409, 422)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_books_add_up_whatever_the_exchange_answers(
    house: House, desk: Desk, exchange: Exchange, seed: int
) -> None:
    seat = desk.seat(house.alice, USD="1500")
    day = Day(random.Random(seed), desk, seat)
    for _ in range(STEPS):
        day.happen()
        desk.check_books(seat)
    exchange.faults.clear()
    for minutes in (1, 10, 20):
        desk.work(seat, later=timedelta(minutes=minutes))
        desk.reconcile(seat)
        desk.check_books(seat)
    assert desk.account(seat) == ("active", "")
    _agree(house, desk, seat)


def _agree(house: House, desk: Desk, seat: Seat) -> None:
    """After a quiet hour nothing is open between the two, and each has what the other has."""
    base = desk.market.symbol.partition("/")[0]
    with job(house.tenant):
        assert not VenueIntent.objects.filter(account=seat.account).outstanding().exists()
        names = VenueIntent.objects.filter(account=seat.account, kind="place")
        for intent in names.exclude(venue_order_id="").select_related("order"):
            there = seat.holder.orders[intent.venue_order_id]
            assert intent.order.filled_quantity == Decimal(there["vol_exec"])
            assert (there["status"] == "open") == (intent.order.status in _OPEN)
        placed = set(names.exclude(venue_order_id="").values_list("venue_order_id", flat=True))
        ours = {t for t, order in seat.holder.orders.items() if order["cl_ord_id"]}
        assert placed == ours, "each order that the exchange has from us is one of ours"
        cash = Balance.objects.get(account=seat.account, currency="USD")
        held = sum(p.quantity for p in cash.account.positions.filter(closed_at=None))
        spare = cash.account.balances.filter(currency=base).first()
    short = {f["currency"] for f in desk.reconcile(seat) if f["code"] == "balance_short"}
    if "USD" not in short:
        assert cash.total == seat.holder.totals["USD"]
    assert base not in short
    assert held + (spare.total if spare else 0) == seat.holder.totals.get(base, 0)


_OPEN = ("accepted", "partially_filled")
