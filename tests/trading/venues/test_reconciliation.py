"""An account beside its exchange: what happened there comes into the books, once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from config.celery import application
from tenants import valkey
from tests.cast import House, build_person, job, now
from tests.trading.venues.desk import Desk, Seat, codes
from tests.trading.venues.exchange import Exchange, Fault
from trading.brokers import connected
from trading.models import CashMovement, Reconciliation
from trading.orders import outbox
from trading.portfolio import actions as portfolio
from trading.venues import messages, tasks

pytestmark = pytest.mark.by_turns


def facts(desk: Desk, seat: Seat) -> Any:
    """All that a reconciliation could change."""
    with job(seat.person.tenant):
        flows = list(CashMovement.objects.filter(account=seat.account).values_list("id", "amount"))
    orders = seat.person.get(f"orders/?account={seat.account}").json()["results"]
    fills = [(fill.id, fill.trade_id) for fill in desk.fills(seat)]
    return desk.money(seat), flows, orders, fills


def test_a_second_comparison_changes_nothing(house: House, desk: Desk, exchange: Exchange) -> None:
    exchange.market_price = Decimal(100)
    seat = desk.seat(house.alice)
    orders = [desk.place(seat), desk.limit(seat), desk.limit(seat, quantity="3")]
    desk.work(seat)
    exchange.execute(desk.venue_id(seat, orders[1]), "1", "99", fee="0.1")
    exchange.execute(desk.venue_id(seat, orders[2]), "1", "99", fee="0.1")
    exchange.cancel(desk.venue_id(seat, orders[2]))
    seat.holder.totals["USD"] += 250
    assert set(codes(desk.reconcile(seat))) == {"fill_booked", "order_ended", "balance_differed"}
    before = facts(desk, seat)
    assert desk.reconcile(seat) == []
    assert facts(desk, seat) == before
    assert desk.money(seat)["USD"]["total"] == f"{seat.holder.totals['USD'].normalize():f}"
    desk.check_books(seat)


def test_balances_become_those_of_the_exchange(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.unseen(house.alice, USD="1000.25", EUR="3", ADA="12.5")
    desk.reconcile(seat)
    assert {code: row["total"] for code, row in desk.money(seat).items()} == {
        "USD": "1000.25",
        "EUR": "3",
        "ADA": "12.5",
    }
    seat.holder.totals |= {"USD": Decimal("10.5"), "EUR": Decimal(0)}
    assert codes(desk.reconcile(seat)) == ["balance_differed", "balance_differed"]
    assert desk.money(seat)["USD"]["total"] == "10.5"
    desk.check_books(seat)


def test_money_that_an_order_has_locked_is_not_taken_away_but_told(
    house: House, desk: Desk
) -> None:
    seat = desk.seat(house.alice, USD="200")
    desk.limit(seat)
    desk.work(seat)
    seat.holder.totals["USD"] = Decimal(50)
    findings = desk.reconcile(seat)
    assert codes(findings) == ["balance_differed", "balance_short"]
    assert desk.money(seat)["USD"]["free"] == "0"
    desk.check_books(seat)


def test_what_was_placed_elsewhere_is_reported_and_moves_balances_only(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    txid = exchange.place_elsewhere(seat.holder, desk.market.symbol, "buy", "2")
    assert codes(desk.reconcile(seat)) == ["order_elsewhere"]
    exchange.execute(txid, "2", "1", fee="0.01")
    found = codes(desk.reconcile(seat))
    assert found == ["trade_elsewhere", "balance_differed", "balance_differed"]
    assert house.alice.get(f"orders/?account={seat.account}").json()["results"] == []
    assert desk.fills(seat) == []
    base = desk.market.symbol.partition("/")[0]
    assert desk.money(seat)[base]["total"] == "2"
    assert desk.money(seat)["USD"]["total"] == "9997.99"
    desk.check_books(seat)


def test_a_trade_that_comes_in_between_leaves_the_money_for_next_time(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    desk.work(seat)
    txid = desk.venue_id(seat, order)
    exchange.hooks["BalanceEx"] = lambda: exchange.execute(txid, "1", "99", fee="1") and None
    assert codes(desk.reconcile(seat)) == ["fill_booked"]
    assert desk.reconcile(seat) == []
    desk.check_books(seat)


def test_money_is_compared_when_the_last_trade_is_long_ago(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    exchange.market_price = Decimal(100)
    seat = desk.seat(house.alice)
    desk.place(seat)
    desk.work(seat)
    assert desk.reconcile(seat, later=timedelta(hours=3)) == []
    seat.holder.totals["USD"] += 50
    asked = len(exchange.asked)
    assert codes(desk.reconcile(seat, later=timedelta(hours=4))) == ["balance_differed"]
    starts = [body["start"] for _, name, body in exchange.asked[asked:] if name == "TradesHistory"]
    assert min(map(int, starts)) > now().timestamp() + 3600, "from the last comparison on"
    desk.check_books(seat)


def test_a_trade_of_before_a_long_silence_is_not_overlooked_for_a_later_one(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    old = desk.limit(seat)
    desk.work(seat)
    exchange.execute(desk.venue_id(seat, old), "1", "99")
    exchange.market_price = Decimal(100)
    desk.place(seat)
    desk.work(seat)
    assert codes(desk.reconcile(seat, later=timedelta(hours=9))) == ["fill_booked"]
    assert desk.status(seat, old)[0] == "filled"


def test_an_order_that_the_exchange_has_lost_is_ended(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    desk.work(seat)
    seat.holder.orders.clear()
    assert codes(desk.reconcile(seat)) == ["order_ended"]
    assert desk.status(seat, order) == ("canceled", "missing_at_venue")
    assert desk.money(seat)["USD"]["locked"] == "0"


def test_more_trades_than_fit_on_a_page_are_all_booked(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat, quantity="0.13", limit_price="100")
    desk.work(seat)
    txid = desk.venue_id(seat, order)
    for number in range(130):
        exchange.execute(txid, "0.001", "99")
        trade = list(seat.holder.trades.values())[-1]
        trade["time"] += number
    desk.reconcile(seat)
    assert len(desk.fills(seat)) == 130
    assert desk.status(seat, order)[0] == "filled"
    desk.check_books(seat)


def test_a_fill_that_costs_more_than_was_locked_is_booked_all_the_same(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    """The exchange is right: what is short is money that we had not seen."""
    exchange.market_price = Decimal(100)
    seat = desk.seat(house.alice, USD="106")
    order = desk.place(seat)
    seat.holder.totals["USD"] += 300
    exchange.market_price = Decimal(300)
    desk.work(seat)
    assert desk.status(seat, order)[0] == "filled"
    desk.check_books(seat)
    desk.reconcile(seat)
    assert desk.money(seat)["USD"]["total"] == f"{seat.holder.totals['USD'].normalize():f}"
    desk.check_books(seat)


def test_what_the_books_refuse_halts_the_account_and_changes_nothing(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    desk.work(seat)
    exchange.execute(desk.venue_id(seat, order), "5", "99")  # of 1
    before = desk.money(seat)
    assert "books_refused" in codes(desk.reconcile(seat))
    assert desk.account(seat) == ("halted", "books_refused")
    assert desk.money(seat) == before
    assert desk.fills(seat) == []


def test_a_loss_that_reaches_the_limit_takes_the_account_out_of_the_market(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    exchange.market_price = Decimal(100)
    seat = desk.seat(house.alice)
    path = f"accounts/{seat.account}/limits/"
    assert house.alice.request("PUT", path, {"max_drawdown": "50"}).status_code == 200
    other = desk.limit(seat)
    desk.work(seat)
    exchange.market_price = Decimal(104)
    desk.place(seat, quantity="20")
    desk.work(seat)
    assert desk.account(seat) == ("halted", "drawdown_limit")
    assert desk.status(seat, other) == ("pending_cancel", "drawdown_limit")
    desk.work(seat)
    assert desk.status(seat, other) == ("canceled", "drawdown_limit")
    desk.check_books(seat)


def test_a_price_that_falls_takes_the_account_out_of_the_market_with_nothing_filled(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    exchange.market_price = Decimal(100)
    seat = desk.seat(house.alice)
    path = f"accounts/{seat.account}/limits/"
    assert house.alice.request("PUT", path, {"max_drawdown": "50"}).status_code == 200
    desk.place(seat, quantity="20")
    other = desk.limit(seat, limit_price="50")
    desk.work(seat)
    assert desk.account(seat) == ("active", "")
    desk.market.feed_bar(open="97", high="97", low="97", close="97")
    with job(house.tenant):
        portfolio.sample(account_id=UUID(seat.account), now=now())
    assert desk.account(seat) == ("halted", "drawdown_limit")
    desk.work(seat)
    assert desk.status(seat, other) == ("canceled", "drawdown_limit")
    desk.check_books(seat)


def test_an_exchange_that_cannot_be_asked_is_reported(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    exchange.fail("OpenOrders", *[Fault(status=503)] * 3)
    report = desk.report(seat)
    assert report is not None
    assert (report.state, report.findings) == ("failed", [{"code": "no_answer"}])
    exchange.fail("BalanceEx", Fault(error="EAPI:Invalid key"))
    assert desk.reconcile(seat) == [{"code": "credentials_refused"}]
    assert desk.account(seat) == ("halted", "credentials_refused")


def test_the_timer_reports_what_is_new_and_nothing_else(house: House, desk: Desk) -> None:
    seat = desk.unseen(house.alice, USD="5")
    assert desk.report(seat, "timer") is not None
    assert desk.report(seat, "timer") is not None, "nothing differs any more"
    assert desk.report(seat, "timer") is None
    with job(house.tenant):
        assert Reconciliation.objects.filter(account=seat.account).count() == 2


def test_reports_are_asked_for_and_read_by_api(
    house: House, desk: Desk, sent: list[tuple[str, list[str]]]
) -> None:
    seat = desk.seat(house.alice)
    path = f"accounts/{seat.account}/reconciliations/"
    assert house.alice.post(path, {}).status_code == 202
    compared = [str(house.tenant.id), seat.account, "request"]
    assert sent == [("trading.venues.tasks.reconcile", compared)]
    [report] = house.alice.get(path).json()["results"]
    assert (report["state"], report["reason"]) == ("done", "request")
    assert report["findings"][0]["code"] == "balance_differed"
    assert house.bob.get(path).status_code == house.mallory.post(path, {}).status_code == 404
    paper = house.alice.post("accounts/", {"name": "paper"}).json()["id"]
    refused = house.alice.post(f"accounts/{paper}/reconciliations/", {})
    assert (refused.status_code, refused.json()["code"]) == (422, "exchange_only")


def test_tenants_with_keys_are_found_again_when_valkey_has_lost_them(
    house: House, desk: Desk
) -> None:
    desk.unseen(house.alice)
    assert house.tenant.id in connected.tenant_ids()
    valkey.client().delete("venues:tenants", "venues:complete")
    found = connected.tenant_ids()
    assert house.tenant.id in found
    assert house.mallory.tenant.id not in found


def test_the_timer_finds_what_was_never_sent(
    house: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = build_person(house.tenant, "carol")
    seat = desk.seat(carol)
    order = desk.limit(seat)
    sent: list[Any] = []
    monkeypatch.setattr(tasks.carry_out, "delay", lambda *names: sent.append(names))
    monkeypatch.setattr(tasks.reconcile, "delay", lambda *names: sent.append(names))
    tasks.look_after(str(house.tenant.id), "timer")
    [(tenant_id, intent_id), compared] = sent
    assert compared == (str(house.tenant.id), seat.account, "timer")
    assert tenant_id == str(house.tenant.id)
    desk.carry_out(seat, UUID(intent_id))
    assert desk.status(seat, order) == ("accepted", "")
    assert desk.work(seat, later=timedelta(days=1)) == []


def test_what_is_sent_by_name_is_a_task_of_the_worker() -> None:
    named = {outbox.CARRY_OUT, messages.COMPARE}
    named |= {entry["task"] for entry in application.conf.beat_schedule.values()}
    application.loader.import_default_modules()
    assert named <= set(application.tasks)
