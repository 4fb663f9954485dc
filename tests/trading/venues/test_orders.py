"""Orders at an exchange, from the intent to the books; the exchange answers, or does not."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.cast import House, job, now
from tests.market import Market
from tests.trading.venues.desk import Desk, codes
from tests.trading.venues.exchange import Exchange, Fault
from trading.brokers.credentials import Keys
from trading.models import Account, VenueIntent
from trading.orders import actions as orders
from trading.orders import feed, reindexing
from trading.orders.querysets import ABANDONED
from trading.venues import calls, intents
from trading.venues.calls import STALE, Outcome
from trading.venues.client import Client
from trading.venues.errors import VenueError
from trading.venues.intents import LATER, SETTLING

pytestmark = pytest.mark.by_turns

HANGS = Fault(hangs=0.8)
PRICE = {"limit_price": "106"}
LIMIT = {"type": "limit", **PRICE}
HANGS_AFTER = Fault(is_after=True, hangs=0.8)


def test_an_order_is_placed_filled_and_booked(house: House, desk: Desk, exchange: Exchange) -> None:
    exchange.market_price = Decimal("100.5")
    seat = desk.seat(house.alice)
    order = desk.place(seat)
    assert desk.work(seat) == [Outcome.DONE]
    done = desk.order(seat, order)
    assert (done["status"], done["average_price"], done["fees"]) == ("filled", "100.5", "0.1005")
    [fill] = desk.fills(seat)
    assert (fill.model, fill.liquidity, fill.source["exchange"]) == ("venue-1", "taker", "kraken")
    assert fill.trade_id == f"venue:{fill.source['trade']}"
    assert desk.money(seat)["USD"]["total"] == "9899.3995"
    assert desk.money(seat)["USD"]["locked"] == "0"
    desk.check_books(seat)


def test_an_intent_is_sent_once_its_order_is_committed_and_never_for_a_preview(
    house: House, desk: Desk, sent: list[tuple[str, list[str]]]
) -> None:
    seat = desk.seat(house.alice)
    seen = house.alice.post("orders/preview/", desk.asked(seat))
    assert (seen.status_code, seen.json()["reasons"]) == (200, [])
    assert house.alice.post("orders/", desk.asked(seat, quantity="1000")).status_code == 422
    assert sent == []
    order = desk.limit(seat)
    with job(house.tenant):
        intent = VenueIntent.objects.get(order=order)
    assert sent == [("trading.venues.tasks.carry_out", [str(house.tenant.id), str(intent.id)])]


def test_a_limit_order_waits_at_the_exchange_and_is_filled_in_parts(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat, quantity="2")
    desk.work(seat)
    assert desk.status(seat, order) == ("accepted", "")
    exchange.execute(desk.venue_id(seat, order), "0.5", "99", fee="0.05")
    assert codes(desk.reconcile(seat)) == ["fill_booked"]
    assert desk.order(seat, order)["filled_quantity"] == "0.5"
    exchange.execute(desk.venue_id(seat, order), "1.5", "98", fee="0.15")
    desk.reconcile(seat)
    assert desk.status(seat, order) == ("filled", "")
    desk.check_books(seat)


def test_what_goes_over_the_wire_is_exact(house: House, desk: Desk, exchange: Exchange) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat, quantity="0.123", limit_price="99.07", post_only=True)
    desk.work(seat)
    [(_, _, body)] = [told for told in exchange.asked if told[1] == "AddOrder"]
    assert (body["volume"], body["price"], body["ordertype"]) == ("0.123", "99.07", "limit")
    assert body["cl_ord_id"] == order.replace("-", "")
    assert "post" in body["oflags"]
    stop = desk.place(seat, type="stop", stop_price="110", quantity="1")
    desk.work(seat)
    body = exchange.asked[-2][2]
    assert (body["ordertype"], body["price"]) == ("stop-loss", "110")
    assert desk.status(seat, stop) == ("accepted", "")
    asked = {"stop_price": "110", "limit_price": "112", "quantity": "1"}
    stop = desk.place(seat, type="stop_limit", **asked)
    desk.work(seat)
    body = exchange.asked[-2][2]
    told = (body["ordertype"], body["price"], body["price2"])
    assert told == ("stop-loss-limit", "110", "112")
    assert desk.status(seat, stop) == ("accepted", "")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("EOrder:Insufficient funds", "insufficient_funds"),
        ("EOrder:Order minimum not met", "invalid_order"),
        ("EGeneral:Unknown method", "refused_by_venue"),
    ],
)
def test_what_the_exchange_rejects_is_rejected_and_frees_its_money(
    house: House, desk: Desk, exchange: Exchange, answer: str, reason: str
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    exchange.fail("AddOrder", Fault(error=answer))
    assert desk.work(seat) == [Outcome.REFUSED]
    assert desk.status(seat, order) == ("rejected", reason)
    assert desk.money(seat)["USD"]["free"] == "10000"
    assert desk.work(seat, later=timedelta(hours=1)) == []


def test_a_cancel_is_carried_out_at_the_exchange(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    desk.work(seat)
    desk.cancel(seat, order)
    assert desk.status(seat, order) == ("pending_cancel", "canceled_by_user")
    assert desk.money(seat)["USD"]["locked"] != "0", "it can still be filled"
    desk.work(seat)
    assert desk.status(seat, order) == ("canceled", "canceled_by_user")
    assert desk.money(seat)["USD"]["locked"] == "0"
    desk.check_books(seat)


def test_an_order_that_nobody_has_sent_is_canceled_at_once(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    desk.cancel(seat, order)
    assert desk.status(seat, order) == ("canceled", "canceled_by_user")
    assert desk.work(seat) == []
    assert exchange.calls("AddOrder") == 0


def test_a_cancel_that_comes_too_late_finds_the_fill(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    desk.work(seat)
    desk.cancel(seat, order)
    exchange.execute(desk.venue_id(seat, order), "1", "99", fee="0.1")
    desk.work(seat)
    assert desk.status(seat, order)[0] == "filled"
    assert ("cancel", "answered", "order_unknown") in desk.intents(seat, order)
    desk.check_books(seat)


@pytest.mark.parametrize(("volume", "status"), [("1", "filled"), ("0.25", "canceled")])
def test_a_fill_after_the_cancel_is_recorded(
    house: House, desk: Desk, exchange: Exchange, volume: str, status: str
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    desk.work(seat)
    desk.cancel(seat, order)
    desk.work(seat)
    exchange.execute(desk.venue_id(seat, order), volume, "99", fee="0.1")
    if volume != "1":
        exchange.cancel(desk.venue_id(seat, order))
    assert codes(desk.reconcile(seat)) == ["fill_booked"]
    assert desk.status(seat, order)[0] == status
    assert desk.order(seat, order)["filled_quantity"] == volume
    desk.check_books(seat)


def test_a_late_fill_of_a_sale_takes_what_is_free_of_the_position(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    exchange.market_price = Decimal(100)
    seat = desk.seat(house.alice)
    desk.place(seat, quantity="2")
    desk.work(seat)
    sale = desk.limit(seat, side="sell", quantity="2", limit_price="101")
    desk.work(seat)
    desk.cancel(seat, sale)
    desk.work(seat)
    exchange.execute(desk.venue_id(seat, sale), "2", "101")
    desk.reconcile(seat)
    assert desk.status(seat, sale)[0] == "filled"
    assert house.alice.get("positions/?open=true").json()["results"] == []
    desk.check_books(seat)


def test_a_call_that_timed_out_after_the_order_came_in_places_it_once(
    house: House, desk: Desk, exchange: Exchange, sent: list[tuple[str, list[str]]]
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    exchange.fail("AddOrder", HANGS_AFTER)
    assert desk.work(seat) == [Outcome.UNKNOWN]
    assert desk.status(seat, order) == ("submitted", "")
    assert desk.work(seat) == [], "the call may still be under way"
    assert desk.work(seat, later=SETTLING * 2) == [Outcome.DONE]
    assert desk.status(seat, order) == ("accepted", "")
    assert exchange.calls("AddOrder") == 1
    assert len(exchange.orders_of(seat.holder)) == 1
    compared = [str(house.tenant.id), seat.account, "unknown_intent"]
    assert sent[-1] == ("trading.venues.tasks.reconcile", compared)


def test_an_order_filled_while_nobody_heard_is_found_among_the_ended(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    exchange.market_price = Decimal(100)
    seat = desk.seat(house.alice)
    order = desk.place(seat)
    exchange.fail("AddOrder", HANGS_AFTER)
    desk.work(seat)
    assert codes(desk.reconcile(seat)) == ["trade_elsewhere"], "and no money is booked for it"
    assert desk.money(seat)["USD"]["total"] == "10000"
    desk.work(seat, later=SETTLING * 2)
    assert desk.status(seat, order)[0] == "filled"
    assert desk.reconcile(seat) == []
    desk.check_books(seat)


def test_a_call_that_never_came_in_is_made_again(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    exchange.fail("AddOrder", HANGS)
    assert desk.work(seat) == [Outcome.UNKNOWN]
    assert desk.work(seat, later=SETTLING * 2) == [Outcome.DONE]
    assert desk.status(seat, order) == ("accepted", "")
    assert len(exchange.orders_of(seat.holder)) == 1


def test_an_order_is_not_placed_when_it_has_become_old(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    exchange.fail("AddOrder", HANGS)
    desk.work(seat)
    assert desk.work(seat, later=STALE * 2) == [Outcome.REFUSED]
    assert desk.status(seat, order) == ("rejected", "venue_unreachable")
    assert exchange.orders_of(seat.holder) == []


@pytest.mark.parametrize(
    "fault",
    [Fault(status=429), Fault(error="EAPI:Rate limit exceeded"), Fault(error="EAPI:Invalid nonce")],
)
def test_too_many_calls_are_made_later(
    house: House, desk: Desk, exchange: Exchange, fault: Fault
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    exchange.fail("AddOrder", fault)
    assert desk.work(seat) == [Outcome.LATER]
    assert desk.status(seat, order) == ("submitted", "")
    assert desk.work(seat, later=LATER * 2) == [Outcome.DONE]
    assert desk.status(seat, order) == ("accepted", "")
    assert exchange.calls("OpenOrders") == 1, "of the first reconciliation: nothing to look for"


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("is_after", [False, True])
def test_an_exchange_that_breaks_down_is_asked_before_it_is_told_again(
    house: House, desk: Desk, exchange: Exchange, status: int, is_after: bool
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    exchange.fail("AddOrder", Fault(status=status, is_after=is_after))
    assert desk.work(seat) == [Outcome.UNKNOWN]
    assert desk.work(seat, later=SETTLING * 2) == [Outcome.DONE]
    assert desk.status(seat, order) == ("accepted", "")
    assert len(exchange.orders_of(seat.holder)) == 1


def test_reads_are_tried_again_when_the_exchange_stumbles(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    exchange.fail("QueryOrders", Fault(status=503), Fault(error="EAPI:Rate limit exceeded"))
    assert desk.work(seat) == [Outcome.DONE]
    assert desk.status(seat, order) == ("accepted", "")
    assert exchange.calls("QueryOrders") == 3


def test_wrong_keys_halt_the_account_and_new_ones_let_it_go_on(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    for key, secret in [("key-of-nobody", seat.holder.secret), (seat.holder.key, "bm8=")]:
        order = desk.limit(seat)
        desk.write_keys(seat, key, secret)
        assert desk.work(seat) == [Outcome.KEYS_REFUSED]
        assert desk.status(seat, order) == ("rejected", "credentials_refused")
        assert desk.account(seat) == ("halted", "credentials_refused")
        refused = house.alice.post("orders/", desk.asked(seat))
        assert (refused.status_code, refused.json()["code"]) == (409, "account_halted")
        desk.write_keys(seat, seat.holder.key, seat.holder.secret)
        assert desk.account(seat) == ("active", "")
    desk.check_books(seat)


def test_accounts_never_use_each_others_keys(house: House, desk: Desk, exchange: Exchange) -> None:
    people = (house.alice, house.alice, house.bob, house.mallory)
    seats = [desk.seat(person) for person in people]
    placed = {seat.account: desk.limit(seat) for seat in seats}
    for seat in reversed(seats):
        desk.work(seat)
    for seat in seats:
        desk.cancel(seat, placed[seat.account])
        desk.work(seat)
        desk.reconcile(seat)
        assert len(seat.holder.orders) == 1
        [told] = seat.holder.orders.values()
        assert told["cl_ord_id"] == placed[seat.account].replace("-", "")
        assert exchange.calls("AddOrder", seat.holder.key) == 1
        assert exchange.calls("CancelOrder", seat.holder.key) == 1


def test_without_keys_nothing_is_asked(house: House, desk: Desk, exchange: Exchange) -> None:
    seat = desk.seat(house.alice)
    path = f"accounts/{seat.account}/credentials/"
    order = desk.limit(seat)
    assert house.alice.request("DELETE", path).status_code == 204
    before = len(exchange.asked)
    assert desk.work(seat) == [None]
    assert desk.status(seat, order) == ("rejected", "credentials_missing")
    refused = house.alice.post("orders/", desk.asked(seat))
    assert (refused.status_code, refused.json()["code"]) == (422, "credentials_missing")
    assert desk.report(seat) is None
    assert len(exchange.asked) == before


def test_a_worker_that_died_after_the_call_is_found_by_the_timer(
    house: House, desk: Desk, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(intents, "_settle", _die)
        desk.work(seat)
    assert desk.intents(seat, order) == [("place", "calling", "")]
    assert desk.work(seat) == []
    assert desk.work(seat, later=ABANDONED + LATER) == [Outcome.DONE]
    assert desk.status(seat, order) == ("accepted", "")
    assert exchange.calls("AddOrder") == 1


def test_a_worker_that_died_before_the_call_is_found_as_well(
    house: House, desk: Desk, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(calls, "make", _die)
        desk.work(seat)
    assert exchange.calls("AddOrder") == 0
    assert desk.work(seat, later=ABANDONED + LATER) == [Outcome.DONE]
    assert desk.status(seat, order) == ("accepted", "")
    assert exchange.calls("AddOrder") == 1


def test_a_task_that_is_delivered_twice_calls_once(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    desk.limit(seat)
    with job(house.tenant):
        intent = VenueIntent.objects.get(account=seat.account).id
    again: list[Any] = []
    exchange.hooks["AddOrder"] = lambda: again.append(desk.carry_out(seat, intent))
    assert desk.carry_out(seat, intent) is Outcome.DONE
    assert desk.carry_out(seat, intent) is None
    assert again == [None]
    assert exchange.calls("AddOrder") == 1


def test_no_transaction_is_open_during_a_call(house: House, desk: Desk, exchange: Exchange) -> None:
    """While the exchange thinks, the account can be locked by others."""
    seat = desk.seat(house.alice)
    desk.limit(seat)
    seen: list[str] = []

    def look() -> None:
        with job(house.tenant):
            account = Account.objects.select_for_update(nowait=True).get(pk=seat.account)
            seen.append(account.status)

    exchange.hooks["AddOrder"] = look
    desk.work(seat)
    assert seen == ["active"]


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "trailing_stop", "trail_amount": "5"},
        {"take_profit": {"limit_price": "120"}},
        {"side": "sell", "order_class": "oco", "stop_loss": {"stop_price": "90"}, **LIMIT},
        {"type": "stop_limit", "stop_price": "105", **PRICE, "time_in_force": "fok"},
        {"type": "stop", "stop_price": "105", "time_in_force": "ioc"},
    ],
)
def test_what_no_exchange_is_asked_is_refused_with_a_sentence(
    house: House, desk: Desk, asked: dict[str, Any]
) -> None:
    seat = desk.seat(house.alice)
    answer = house.alice.post("orders/", desk.asked(seat, **asked))
    assert (answer.status_code, answer.json()["code"]) == (422, "unsupported_order")
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("kind", ["day", "gtd"])
def test_an_order_that_has_had_its_time_is_taken_back_at_the_exchange(
    house: House, desk: Desk, exchange: Exchange, kind: str, *, sent: bool
) -> None:
    """Exchanges are told to keep it: our timer ends it."""
    seat, tomorrow = desk.seat(house.alice), now() + timedelta(days=1)
    until = {"expires_at": tomorrow.isoformat()} if kind == "gtd" else {}
    order = desk.limit(seat, time_in_force=kind, **until)
    if sent:
        desk.work(seat)
        [told] = [body for _, name, body in exchange.asked if name == "AddOrder"]
        assert "timeinforce" not in told
    expire(house, tomorrow - timedelta(days=1))
    assert desk.status(seat, order)[0] == ("accepted" if sent else "submitted")
    expire(house, tomorrow + timedelta(seconds=1))
    reason = "session_ended" if kind == "day" else "expires_at_reached"
    if sent:
        assert desk.status(seat, order) == ("pending_cancel", reason)
        expire(house, tomorrow + timedelta(minutes=1))
        desk.work(seat, later=timedelta(days=1, minutes=1))
    assert desk.status(seat, order) == ("expired", reason)
    assert desk.money(seat)["USD"]["locked"] == "0"
    desk.check_books(seat)


def expire(house: House, at: datetime) -> None:
    with job(house.tenant):
        orders.expire_due(now=at)


def test_an_order_at_an_exchange_is_not_replaced(house: House, desk: Desk) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    answer = house.alice.request("PATCH", f"orders/{order}/", {"quantity": "2"})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_replaceable")


def test_no_bar_fills_an_order_at_an_exchange(house: House, desk: Desk, market: Market) -> None:
    seat = desk.seat(house.alice)
    order = desk.limit(seat)
    market.feed_bar(open="100", high="101", low="90", close="95")
    desk.work(seat)
    market.feed_bar(open="95", high="96", low="80", close="85")
    with job(house.tenant):
        assert reindexing.check() == 0
    assert feed.recover([market.symbol], now=now()) == 0
    desk.cancel(seat, order)
    assert desk.order(seat, order)["filled_quantity"] == "0"
    assert desk.fills(seat) == []


def test_no_key_stands_in_a_log_an_error_or_a_row(
    house: House,
    desk: Desk,
    exchange: Exchange,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    seat = desk.seat(house.alice)
    texts = []
    faults = [Fault(error="EOrder:Invalid order"), Fault(status=503), HANGS, Fault(status=429)]
    for fault in faults:
        order = desk.limit(seat)
        exchange.fail("AddOrder", fault)
        desk.work(seat)
        texts.append(str(desk.order(seat, order)))
    exchange.fail("BalanceEx", *[Fault(status=503)] * 3)
    texts.append(str(desk.reconcile(seat)))
    texts.append(str(house.olga.get("audit/?page_size=200").json()))
    texts += [caplog.text, *capfd.readouterr()]
    for secret in (seat.holder.key, seat.holder.secret, "API-Sign"):
        assert not [text for text in texts if secret in text]


def test_an_error_carries_nothing_of_what_was_sent(
    house: House, desk: Desk, exchange: Exchange
) -> None:
    seat = desk.seat(house.alice)
    client = Client("kraken", Keys(seat.holder.key, seat.holder.secret))
    exchange.fail("BalanceEx", *[Fault(status=503)] * 3)
    with pytest.raises(VenueError) as caught:
        client.totals()
    assert caught.value.args == ("no_answer",)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def _die(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt
