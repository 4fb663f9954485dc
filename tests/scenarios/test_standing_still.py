"""A tenant that was suspended comes back: its orders meet what passed them by, in order and once.

Mallory does what Alice does, and her tenant never stands still: both have the same fills.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants import valkey
from tenants.tasks import HEADER
from tests.accounts.test_suspension import resume, suspend
from tests.cast import House, Person, job, now
from tests.market import Market, list_instrument
from tests.scenarios.crashes import interrupted
from tests.scenarios.test_day_orders import market_of_today
from tests.scenarios.test_first_trade import balance, open_account
from tests.scenarios.test_halting import limit
from tests.scenarios.test_index import alone, limit_buy
from tests.scenarios.test_order_types import bracket, holding, place, quiet, seen
from tests.scenarios.test_replay import asked, replayed, walk
from tests.scenarios.test_tape import is_replayed
from trading.market.bars import Bar
from trading.market.ticks import Tick
from trading.models import Fill, Order
from trading.orders import actions, coming_back, execution, tasks
from trading.orders.errors import OrderNotOpen

pytestmark = pytest.mark.by_turns

HOUR = timedelta(hours=1)
_TOLD = ("side", "quantity", "price", "fee", "liquidity", "executed_at", "model", "source")


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    quiet(market)
    return market


def come_back(house: House, at: datetime | None = None) -> int:
    """As the tenant's task does it; gives the number of turns."""
    turns = 0
    while True:
        with job(house.tenant):
            if not coming_back.go_on(now=at or now()):
                return turns
        turns += 1


def twins(house: House) -> list[tuple[Person, str]]:
    return [(person, open_account(person)) for person in (house.alice, house.mallory)]


def fills(person: Person, account: str) -> list[tuple[Any, ...]]:
    with job(person.tenant):
        rows = Fill.objects.filter(account=account).order_by("id")
        return list(rows.values_list(*_TOLD))


def orders(person: Person, account: str) -> list[tuple[Any, ...]]:
    told = ("status", "status_reason", "filled_quantity", "average_price", "locked", "water_mark")
    with job(person.tenant):
        rows = Order.objects.filter(account=account).order_by("created_at", "role")
        return list(rows.values_list(*told))


def are_alike(house: House, seats: list[tuple[Person, str]], market: Market) -> bool:
    (alice, hers), (mallory, others) = seats
    assert fills(alice, hers) == fills(mallory, others)
    assert orders(alice, hers) == orders(mallory, others)
    return is_replayed(house, hers, market)


def orders_of_many_kinds(person: Person, account: str, market: Market) -> None:
    for price in ("95", "88", "65", "50"):
        limit_buy(person, account, market, price)
    place(person, account, market, side="buy", type="stop", quantity="1", stop_price="125")
    asked = {"type": "trailing_stop", "quantity": "1", "trail_amount": "5"}
    place(person, account, market, side="sell", **asked)
    bracket(person, account, market)


def what_passes(market: Market) -> Iterator[Bar | Tick]:
    """Calm, a rise that trails, a gap down, ticks of one moment, and a longer bar."""
    yield market.bar(open="100", high="101", low="99", close="100")
    yield market.bar(open="101", high="120", low="101", close="119")
    gap = market.bar(open="90", high="91", low="88", close="90")
    yield gap
    for price in ("87.5", "130"):
        yield market.tick(gap.end + timedelta(minutes=1), price)
    next(market.hours)  # the one that the ticks are of
    longer = market.bar(open="113", high="126", low="60", close="100")
    yield replace(longer, timeframe="4h")
    for _ in range(3):
        next(market.hours)


@pytest.mark.parametrize("first", ["a newer print", "the task", "a cancel", "the timer of dates"])
def test_what_passed_by_is_met_before_anything_newer(
    house: House, market: Market, first: str
) -> None:
    seats = twins(house)
    for person, account in seats:
        place(person, account, market, side="buy", type="market", quantity="2")
    quiet(market)
    for person, account in seats:
        orders_of_many_kinds(person, account, market)
    suspend(house.tenant)
    for printed in what_passes(market):
        market.feed(printed)
    assert len(fills(*seats[1])) > 4
    resume(house.tenant)
    assert len(fills(*seats[0])) == 1
    if first == "the task":
        assert come_back(house) == 1
    if first == "a cancel":
        for person, account in seats:
            far = person.get(f"orders/?account={account}&status=accepted").json()["results"]
            (order,) = (each for each in far if each["limit_price"] == "50")
            assert person.request("DELETE", f"orders/{order['id']}/").status_code == 200
    if first == "the timer of dates":
        with job(house.tenant):
            assert actions.expire_due(now=now()) == 0
    market.feed_bar(open="60", high="61", low="45", close="50")
    assert are_alike(house, seats, market)
    come_back(house)
    market.feed_bar(open="50", high="130", low="40", close="50")
    assert are_alike(house, seats, market)


def test_no_print_is_met_twice(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, met = open_account(house.alice), list[tuple[Any, ...]]()
    match = execution.matching.match

    def noted(working: Any, printed: Bar | Tick, *rest: Any, **more: Any) -> Any:
        met.extend((each.id, printed.place) for each in working if each.waits_for is None)
        return match(working, printed, *rest, **more)

    place(house.alice, account, market, side="buy", type="market", quantity="2")
    quiet(market)
    orders_of_many_kinds(house.alice, account, market)
    monkeypatch.setattr(execution.matching, "match", noted)
    for _ in range(2):
        suspend(house.tenant)
        for printed in what_passes(market):
            market.feed(printed)
        assert len(met) == len(set(met))
        resume(house.tenant)
        market.feed_bar(open="100", high="101", low="99", close="100")
        come_back(house)
    assert len(met) == len(set(met)) > 10
    assert is_replayed(house, account, market)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whenever_a_tenant_stood_still_its_fills_are_those_of_one_that_never_did(
    house: House, market: Market, seed: int
) -> None:
    dice, last = random.Random(seed), 100
    seats = [(p, open_account(p, amount="3000")) for p in (house.alice, house.mallory)]
    for _ in range(12):
        for _ in range(dice.randint(0, 3)):
            body = {"instrument": market.symbol, **asked(dice, last)}
            answers = {p.post("orders/", {"account": a, **body}).status_code for p, a in seats}
            assert len(answers) == 1
        suspend(house.tenant)
        for _ in range(dice.randint(0, 4)):
            last = max(walk(dice, market, last), 40)
        resume(house.tenant)
        what = dice.random()
        if what < 0.25:
            answers = {p.post("orders/cancel-all/", {"account": a}).status_code for p, a in seats}
            assert answers == {200}
        elif what < 0.6:
            last = max(walk(dice, market, last), 40)
        come_back(house)
    assert len(fills(*seats[0])) > 5
    assert are_alike(house, seats, market)


def test_an_order_that_nothing_touched_costs_nothing(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much went by: PostgreSQL looks once for what would reach it."""
    account, met = open_account(house.alice), list[object]()
    order = limit_buy(house.alice, account, market, "50")
    quiet(market)

    def meet(*given: Any, **more: Any) -> int:
        met.append(given)
        return 0

    monkeypatch.setattr(execution, "meet_locked", meet)
    statements = []
    for prints in (1, 40):
        suspend(house.tenant)
        for _ in range(prints):
            quiet(market)
        resume(house.tenant)
        with job(house.tenant), CaptureQueriesContext(connection) as asked:
            assert coming_back.go_on(now=now())
        statements.append(len(asked))
    assert met == []
    assert statements[0] == statements[1]
    assert seen(house.alice, order)["status"] == "accepted"


def test_what_takes_long_is_met_in_turns_and_newer_prints_wait(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coming_back, "AT_A_TIME", 2)
    seats = twins(house)
    for person, account in seats:
        place(person, account, market, side="buy", type="market", quantity="1")
    quiet(market)
    trails = {"side": "sell", "type": "trailing_stop", "quantity": "1", "trail_amount": "5"}
    trailing = [place(person, account, market, **trails) for person, account in seats]
    suspend(house.tenant)
    for price in ("102", "104", "106", "108", "110"):
        quiet(market, price)
    resume(house.tenant)
    quiet(market, "104")
    assert seen(house.mallory, trailing[1])["status"] == "filled"
    assert seen(house.alice, trailing[0])["status"] == "accepted"
    quiet(market, "90")
    assert come_back(house) == 1
    assert seen(house.alice, trailing[0])["average_price"] == "104"
    assert are_alike(house, seats, market)


def test_a_turn_sends_for_the_next_until_there_is_none(house: House, market: Market) -> None:
    """After its commit, and to its own tenant."""
    limit_buy(house.alice, open_account(house.alice), market, "95")
    suspend(house.tenant)
    resume(house.tenant)
    for times in (1, 0):
        with mock.patch("celery.app.task.Task.apply_async") as sent, job(house.tenant):
            tasks.catch_up.run()
            assert not sent.called
        told = [call.kwargs["headers"] for call in sent.call_args_list]
        assert told == [{HEADER: str(house.tenant.id)}] * times


def test_wherever_coming_back_breaks_off_it_goes_on_there(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coming_back, "AT_A_TIME", 1)
    account, broken = open_account(house.alice), 0
    for moment in range(1, 60, 4):
        for price in ("95", "90"):
            limit_buy(house.alice, account, market, price)
        suspend(house.tenant)
        market.feed_bar(open="97", high="98", low="93", close="96")
        market.feed_bar(open="96", high="98", low="89", close="96")
        resume(house.tenant)
        broken += interrupted(partial(come_back, house), moment) is None
        come_back(house)
        with job(house.tenant):
            assert not Order.objects.filter(account=account).open().exists()
    assert broken > 5
    assert is_replayed(house, account, market)


def test_a_resume_that_is_killed_has_resumed_or_not(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed right after its commit it has sent nothing: the timer does."""
    account, sent = open_account(house.alice), list[Any]()
    monkeypatch.setattr(tasks.catch_up, "send_to", sent.append)
    has_resumed, moments = False, count(1)
    while not has_resumed:
        order = limit_buy(house.alice, account, market, "95")
        suspend(house.tenant)
        market.feed_bar(open="94", high="98", low="93", close="96")
        assert interrupted(partial(resume, house.tenant), next(moments)) is None
        assert sent == []
        has_resumed = not resume(house.tenant)
        sent.clear()
        tasks.catch_up_everywhere()
        assert house.tenant.id in sent
        assert house.mallory.tenant.id not in sent
        sent.clear()
        come_back(house)
        assert seen(house.alice, order)["average_price"] == "94"
    assert next(moments) > 3
    assert is_replayed(house, account, market)


def test_the_task_goes_on_until_all_accounts_are_back(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    seats = [(person, open_account(person)) for person in (house.alice, house.bob)]
    waiting = [limit_buy(person, account, market, "95") for person, account in seats]
    suspend(house.tenant)
    market.feed_bar(open="94", high="98", low="93", close="96")
    resume(house.tenant)
    sent: list[object] = []
    monkeypatch.setattr(tasks.catch_up, "delay", lambda: sent.append(1))
    runs = 0
    while len(sent) == runs:
        with job(house.tenant):
            tasks.catch_up.run()
        runs += 1
    assert runs == 3
    found = [seen(person, order) for (person, _), order in zip(seats, waiting, strict=True)]
    assert [order["average_price"] for order in found] == ["94", "94"]


def test_an_index_that_was_made_anew_meanwhile_has_its_orders_again(
    house: House, market: Market
) -> None:
    alice, account = house.alice, open_account(house.alice)
    order, far = (limit_buy(alice, account, market, price) for price in ("95", "60"))
    quiet(market)
    suspend(house.tenant)
    kinds = ("signed", "next", "below", "above", "until")
    valkey.client().delete("open:complete", *(f"open:{market.symbol}:{k}" for k in kinds))
    market.feed_bar(open="94", high="98", low="93", close="96")
    resume(house.tenant)
    market.feed_bar(open="80", high="81", low="79", close="80")
    assert seen(alice, order)["status"] == "accepted", "nobody has found it"
    assert come_back(house) == 1
    assert seen(alice, order)["average_price"] == "94"
    market.feed_bar(open="59", high="81", low="59", close="80")
    assert seen(alice, far)["average_price"] == "59"
    assert is_replayed(house, account, market)


def test_what_is_placed_after_the_return_knows_what_passed(house: House, market: Market) -> None:
    alice, account = house.alice, open_account(house.alice)
    old = limit_buy(alice, account, market, "95")
    suspend(house.tenant)
    market.feed_bar(open="94", high="98", low="93", close="96")
    resume(house.tenant)
    new = limit_buy(alice, account, market, "95")
    market.feed_bar(open="92", high="98", low="92", close="96")
    assert [seen(alice, order)["average_price"] for order in (old, new)] == ["94", "92"]
    assert is_replayed(house, account, market)


def test_what_passes_a_transaction_by_that_is_open_meanwhile_is_met_before_it_cancels(
    house: House, market: Market
) -> None:
    """Nobody is sent out of a tenant that is suspended: whoever is in ends what is begun."""
    account = open_account(house.alice)
    order = limit_buy(house.alice, account, market, "95")
    quiet(market)

    def pass_by() -> None:
        suspend(house.tenant)
        market.feed_bar(open="94", high="98", low="93", close="96")

    with ThreadPoolExecutor(1) as pool, job(house.tenant):
        assert Order.objects.filter(pk=order["id"]).exists()
        pool.submit(alone, pass_by).result()
        with pytest.raises(OrderNotOpen):
            actions.cancel(order_id=UUID(order["id"]), now=now())
    resume(house.tenant)
    assert seen(house.alice, order)["average_price"] == "94"
    assert is_replayed(house, account, market)


def test_a_limit_that_is_reached_on_the_way_ends_orders_where_they_would_have_been(
    house: House,
) -> None:
    """What had passed by of another instrument was met by then."""
    alice, account = house.alice, open_account(house.alice, amount="1000")
    first, second = (list_instrument(base=f"{letter}{uuid4().hex[:8].upper()}") for letter in "AZ")
    for market in (first, second):
        quiet(market)
    limit(alice, account, max_drawdown="50")
    holding(alice, account, first, quantity="5")
    falls = limit_buy(alice, account, first, "82")
    filled, ended = (limit_buy(alice, account, second, price) for price in ("95", "60"))
    for market in (first, second):
        quiet(market)
    suspend(house.tenant)
    quiet(second, "94")
    quiet(first, "80")
    quiet(second, "70")
    resume(house.tenant)
    come_back(house)
    assert alice.get(f"accounts/{account}/").json()["status_reason"] == "drawdown_limit"
    found = [seen(alice, order) for order in (falls, filled, ended)]
    assert [order["status"] for order in found] == ["filled", "filled", "canceled"]
    assert [order["average_price"] for order in found] == ["80", "94", None]
    again = replayed(house, account)["instruments"]
    assert again == {first.symbol: True, second.symbol: True}


def ending(order: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(order["expires_at"])


WHEN: dict[str, tuple[Callable[[Market, datetime], Bar | Tick], bool]] = {
    "over before it": (lambda m, ends: deep(m, ends - 1.5 * HOUR), True),
    "over with it": (lambda m, ends: deep(m, ends - HOUR), True),
    "going on at it": (lambda m, ends: deep(m, ends - 0.5 * HOUR), False),
    "begun with it": (lambda m, ends: deep(m, ends), False),
    "a tick before it": (lambda m, ends: m.tick(ends - timedelta(seconds=1), "80"), True),
    "a tick of that moment": (lambda m, ends: m.tick(ends, "80"), False),
}


def deep(market: Market, start: datetime) -> Bar:
    return replace(market.bar(open="95", high="96", low="80", close="85"), start=start)


@pytest.mark.parametrize("when", list(WHEN))
@pytest.mark.parametrize("lasting", ["gtd", "day"])
def test_an_order_whose_time_was_over_meanwhile_met_only_what_came_before(
    house: House, lasting: str, when: str
) -> None:
    alice, account, market = house.alice, open_account(house.alice), market_of_today("crypto")
    body: dict[str, Any] = {"side": "buy", "type": "limit", "quantity": "1", "limit_price": "90"}
    body["time_in_force"] = lasting
    if lasting == "gtd":
        half_past = now().replace(minute=30, second=0, microsecond=0)
        body["expires_at"] = (half_past + HOUR).isoformat()
    order = place(alice, account, market, **body)
    stays = limit_buy(alice, account, market, "89")
    quiet(market)
    printed, is_met = WHEN[when][0](market, ending(order)), WHEN[when][1]
    suspend(house.tenant)
    market.feed(printed)
    resume(house.tenant)
    come_back(house, at=ending(order) + 3 * HOUR)
    with job(house.tenant):
        assert actions.expire_due(now=ending(order) + 3 * HOUR) == 0
    found = seen(alice, order)
    if is_met:
        assert found["status"] == "filled"
    else:
        late = {"gtd": "expires_at_reached", "day": "session_ended"}[lasting]
        ended = (found["status"], found["status_reason"], found["filled_quantity"])
        assert ended == ("expired", late, "0")
        kept = house.olga.get("audit-log/?action=order.expired").json()["results"]
        by_engine = when == "a tick of that moment"  # which tells of it, and records nothing
        assert [entry["actor"] for entry in kept] == ([] if by_engine else ["system:test"])
    assert seen(alice, stays)["status"] == "filled"
    assert balance(alice, account)["locked"] == "0"
    assert is_replayed(house, account, market)
