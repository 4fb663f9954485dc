"""Another exchange than Kraken: one that wants a symbol, and takes its fee of what was bought."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import Settings

from tests.cast import House, job
from tests.market import Market, list_instrument
from tests.trading.venues.binance import Binance
from tests.trading.venues.desk import Desk, Seat, codes
from tests.trading.venues.exchange import Fault, serving
from trading.models import Position
from trading.venues.calls import Outcome
from trading.venues.intents import SETTLING

pytestmark = pytest.mark.by_turns


@pytest.fixture
def exchange(settings: Settings) -> Iterator[Binance]:
    with serving(Binance()) as running:
        settings.VENUE_URLS = {"binance": running.url}
        yield running


@pytest.fixture
def desk(exchange: Binance, market: Market) -> Desk:
    return Desk(exchange, market, "binance")


def held(seat: Seat) -> Decimal:
    with job(seat.person.tenant):
        rows = Position.objects.filter(account=seat.account, closed_at=None)
        return sum(rows.values_list("quantity", flat=True), Decimal(0))


def test_an_exchange_that_wants_a_symbol_is_asked_by_symbol(
    house: House, desk: Desk, exchange: Binance
) -> None:
    seat = desk.seat(house.alice)
    assert exchange.calls("GET myTrades") == 0, "nothing of ours can have happened there"
    order = desk.limit(seat)
    desk.work(seat)
    exchange.execute(desk.venue_id(seat, order), "1", "99", fee="0.1")
    assert codes(desk.reconcile(seat)) == ["fill_booked"]
    named = {body["symbol"] for _, name, body in exchange.asked if name == "GET myTrades"}
    assert named == {desk.market.symbol.replace("/", "")}
    assert desk.status(seat, order) == ("filled", "")
    desk.check_books(seat)


def test_what_is_no_longer_open_or_held_is_not_asked_for(
    house: House, desk: Desk, exchange: Binance
) -> None:
    seat, later = desk.seat(house.alice), timedelta(hours=3)
    other = list_instrument()
    other.print_bar(open="100", high="101", low="99", close="100")
    exchange.list(other.symbol)
    order = desk.limit(seat)
    desk.work(seat)
    desk.cancel(seat, order)
    desk.work(seat)
    desk.reconcile(seat, later=later)
    before = exchange.calls("GET myTrades")
    desk.reconcile(seat, later=later)
    assert exchange.calls("GET myTrades") == before


def test_an_order_that_nobody_heard_of_is_found_by_its_name(
    house: House, desk: Desk, exchange: Binance
) -> None:
    exchange.market_price = Decimal(100)
    seat = desk.seat(house.alice)
    order = desk.place(seat)
    exchange.fail("POST order", Fault(status=503, is_after=True))
    assert desk.work(seat) == [Outcome.UNKNOWN]
    assert desk.work(seat, later=SETTLING * 2) == [Outcome.DONE]
    assert desk.status(seat, order)[0] == "filled"
    assert exchange.calls("POST order") == 1


def test_a_call_that_never_came_in_is_made_again(
    house: House, desk: Desk, exchange: Binance
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    exchange.fail("POST order", Fault(status=503))
    assert desk.work(seat) == [Outcome.UNKNOWN]
    assert desk.work(seat, later=SETTLING * 2) == [Outcome.DONE]
    assert desk.status(seat, order) == ("accepted", "")
    assert len(exchange.orders_of(seat.holder)) == 1


def test_a_fee_of_what_was_bought_makes_the_position_smaller(
    house: House, desk: Desk, exchange: Binance
) -> None:
    seat = desk.seat(house.alice)
    base = desk.market.symbol.partition("/")[0]
    order = desk.limit(seat, quantity="2")
    desk.work(seat)
    for part in ("0.5", "1.5"):
        fee = f"{Decimal(part) / 1000}"
        exchange.execute(desk.venue_id(seat, order), part, "99", fee=fee, fee_in=base)
        assert codes(desk.reconcile(seat)) == ["fill_booked"], "and no balance differs"
        desk.check_books(seat)
    assert desk.status(seat, order) == ("filled", "")
    assert held(seat) == Decimal("1.998") == seat.holder.totals[base]
    assert [(fill.base_fee, fill.fee) for fill in desk.fills(seat)] == [
        (Decimal("0.0005"), Decimal("0.0495")),
        (Decimal("0.0015"), Decimal("0.1485")),
    ]
    assert desk.order(seat, order)["fees"] == "0.198"
    sale = desk.limit(seat, side="sell", quantity="1.998", limit_price="101")
    desk.work(seat)
    exchange.execute(desk.venue_id(seat, sale), "1.998", "101", fee="0.2")
    assert codes(desk.reconcile(seat)) == ["fill_booked"]
    assert held(seat) == 0
    assert desk.reconcile(seat) == []
    desk.check_books(seat)


def test_a_fee_in_another_currency_moves_that_balance(
    house: House, desk: Desk, exchange: Binance
) -> None:
    seat = desk.unseen(house.alice, USD="1000", BNB="2")
    desk.reconcile(seat)
    order = desk.limit(seat)
    desk.work(seat)
    exchange.execute(desk.venue_id(seat, order), "1", "99", fee="0.0003", fee_in="BNB")
    assert codes(desk.reconcile(seat)) == ["fill_booked"]
    assert desk.money(seat)["BNB"]["total"] == "1.9997"
    assert desk.money(seat)["USD"]["total"] == "901"
    assert desk.order(seat, order)["fees"] == "0"
    assert desk.reconcile(seat) == []
    desk.check_books(seat)


def test_a_fee_that_nobody_knew_could_be_paid_is_told(
    house: House, desk: Desk, exchange: Binance
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    desk.work(seat)
    seat.holder.totals["BNB"] = Decimal(1)
    exchange.execute(desk.venue_id(seat, order), "1", "99", fee="0.25", fee_in="BNB")
    assert codes(desk.reconcile(seat)) == ["fill_booked", "balance_differed"]
    assert desk.money(seat)["BNB"]["total"] == "0.75"
    desk.check_books(seat)


def test_trades_of_a_long_outage_come_in_run_by_run(
    house: House, desk: Desk, exchange: Binance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than one run asks for: each goes on where the last one stopped, and none is skipped."""
    monkeypatch.setattr("trading.venues.pages.MOST", 4)
    monkeypatch.setattr("trading.venues.pages.FULL", 10)
    monkeypatch.setattr("tests.trading.venues.binance.PAGE", 10)
    seat = desk.seat(house.alice)
    order = desk.limit(seat, quantity="0.06", limit_price="100")
    desk.work(seat)
    for number in range(60):
        exchange.execute(desk.venue_id(seat, order), "0.001", "99")
        list(seat.holder.trades.values())[-1]["time"] += number
    runs = []
    for _ in range(20):
        found = codes(desk.reconcile(seat, "timer", later=timedelta(minutes=2)))
        runs.append(found.count("fill_booked"))
        if "more_trades" not in found:
            break
        assert desk.money(seat)["USD"]["total"] != "0"
        desk.check_books(seat)
    assert sum(runs) == 60
    assert len(runs) > 2
    assert desk.status(seat, order)[0] == "filled"
    desk.check_books(seat)
