"""What everything was worth and has won, by API: history, statements, named portfolios, numbers."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from tests import counting
from tests.cast import House, Person, job, now
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import open_account
from tests.scenarios.test_order_types import holding, place, quiet
from tests.scenarios.test_positions import the_position
from trading.brokers import accounts
from trading.brokers import actions as brokers
from trading.brokers.accounts import Opening
from trading.market.models import Candle
from trading.models import EquityPoint, Position
from trading.orders import feed
from trading.portfolio import actions, tasks

pytestmark = pytest.mark.by_turns


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def history(person: Person, query: str = "") -> dict[str, Any]:
    answer = person.get(f"portfolio/history/?{query}")
    assert answer.status_code == 200, answer.json()
    return dict(answer.json())


def in_usd(found: dict[str, Any], key: str = "currencies") -> dict[str, Any]:
    (side,) = [side for side in found[key] if side["currency"] == "USD"]
    return dict(side)


def points(house: House, account: str) -> list[EquityPoint]:
    with job(house.tenant):
        return list(EquityPoint.objects.filter(account=account).order_by("at"))


def sampled(house: House, account: str, at: datetime) -> None:
    with job(house.tenant):
        actions.sample(account_id=UUID(account), now=at)


def statement(person: Person, **query: Any) -> dict[str, Any]:
    asked = "&".join(f"{key}={value}" for key, value in query.items())
    answer = person.get(f"portfolio/pnl/?{asked}")
    assert answer.status_code == 200, answer.json()
    return dict(answer.json())


def test_each_fact_leaves_a_point_and_one_a_minute_stays(house: House, market: Market) -> None:
    alice, start = house.alice, now()
    account = open_account(alice)
    holding(alice, account, market)
    found = points(house, account)
    assert len(found) <= 1 + (now() - start).seconds // 60 + 1
    last = found[-1]
    spent = 2 * Decimal("100.05") * Decimal("1.002")
    assert (last.currency, last.cash) == ("USD", 10_000 - spent)
    assert (last.positions_value, last.cost_basis) == (200, Decimal("200.1"))
    assert in_usd(history(alice))["equity_end"] == f"{10_200 - spent:f}".rstrip("0")


def test_a_bar_that_fills_many_orders_is_sampled_once(house: House, market: Market) -> None:
    account = open_account(house.alice)
    for _ in range(3):
        place(house.alice, account, market, side="buy", type="market", quantity="1")
    with CaptureQueriesContext(connection) as captured:
        quiet(market)
    written = [query["sql"] for query in captured if query["sql"].startswith("INSERT")]
    assert len([sql for sql in written if '"trading_fill"' in sql]) == 3
    assert len([sql for sql in written if '"trading_equitypoint"' in sql]) == 1
    assert points(house, account)[-1].positions_value == 300


def test_a_later_price_makes_a_new_point_and_leaves_the_old(house: House, market: Market) -> None:
    account = open_account(house.alice)
    holding(house.alice, account, market)
    before = points(house, account)[-1]
    quiet(market, "150")
    sampled(house, account, before.at + timedelta(minutes=5))
    old, new = points(house, account)[-2:]
    assert (old.at, old.positions_value) == (before.at, before.positions_value)
    assert new.positions_value == 300


def test_time_does_not_run_backwards_for_a_request_that_waited(house: House) -> None:
    account = open_account(house.alice)
    first = points(house, account)[-1]
    sampled(house, account, first.at - timedelta(hours=1))
    (only,) = points(house, account)
    assert (only.at, only.through > first.through) == (first.at, True)


def test_a_point_is_neither_deleted_nor_without_reason_unpriced(house: House) -> None:
    account = open_account(house.alice)
    with job(house.tenant), pytest.raises(IntegrityError, match="missing_a_price_has_no_value"):
        EquityPoint.objects.filter(account=account).update(positions_value=None)


def test_the_timer_samples_what_holds_something(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, idle = open_account(house.alice), open_account(house.bob)
    holding(house.alice, holder, market)
    sent: list[str] = []
    monkeypatch.setattr(tasks.sample_account, "delay", sent.append)
    with job(house.tenant):
        tasks.sample_accounts.run()
    assert holder in sent
    assert idle not in sent


def test_a_missing_price_is_missing_and_never_nothing(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    holding(alice, account, market)
    with connection.cursor() as cursor:  # on the platform, where the market is written
        assert Candle.objects.filter(symbol=market.symbol).exists()
        cursor.execute("DELETE FROM market_candle WHERE symbol = %s", [market.symbol])
    later = points(house, account)[-1].at + timedelta(minutes=2)
    sampled(house, account, later)
    with job(house.tenant):
        last = EquityPoint.objects.filter(account=account).order_by("-at")[0]
    assert (last.positions_value, last.missing) == (None, [market.symbol])
    told = in_usd(statement(alice, end=stamp(later)), "totals")
    assert (told["unrealized_change"], told["total"], told["equity_end"]) == (None, None, None)
    assert told["cash_flows"] == "10000"
    stats = alice.get("dashboard/stats/").json()["money"][0]
    assert (stats["unrealized_pnl"], stats["missing_prices"]) == (None, [market.symbol])


@pytest.mark.parametrize(("symbol", "currency"), [("GONE/USD", "USD"), ("GONE", "unknown")])
def test_what_is_listed_no_more_is_held_without_a_price(
    house: House, market: Market, symbol: str, currency: str
) -> None:
    alice = house.alice
    account = open_account(alice)
    holding(alice, account, market, "2")
    with job(house.tenant):
        Position.objects.filter(account=account).update(instrument=symbol)
    for path in ("portfolio/", "dashboard/stats/", "positions/", "portfolio/pnl/"):
        assert alice.get(path).status_code == 200, path
    total = {side["currency"]: side for side in alice.get("portfolio/").json()["total"]}[currency]
    assert (total["equity"], total["missing_prices"]) == (None, [symbol])
    (money,) = alice.get("dashboard/stats/").json()["money"]
    told = (money["currency"], money["unrealized_pnl"], money["missing_prices"])
    assert told == (currency, None, [symbol])
    sampled(house, account, now())
    assert [symbol] in [point.missing for point in points(house, account)]


class Trader:
    """Somebody who trades over simulated weeks, on the clock of the wall."""

    def __init__(self, person: Person, dice: random.Random, market: Market) -> None:
        self.person, self.dice, self.market = person, dice, market
        self.at, self.last = now() - timedelta(days=25), 100
        self.accounts = [self._open(method) for method in ("average", "fifo")]

    def _open(self, method: str) -> str:
        opening = Opening(name=method, currency="USD", cost_method=method)
        user_id = self.person.user_id
        with self.person.inside():
            account = accounts.open_account(user_id=user_id, opening=opening, now=self.at)
        self._flow(account.id, Decimal(5000))
        return str(account.id)

    def _flow(self, account_id: UUID, amount: Decimal) -> None:
        move = brokers.deposit if amount > 0 else brokers.withdraw
        with self.person.inside():
            move(account_id=account_id, currency="USD", amount=abs(amount), now=self.at)

    def live(self) -> None:
        """Some hours: perhaps money in or out, perhaps an order, and a bar."""
        self.at += timedelta(minutes=self.dice.randint(3, 700))
        account = self.dice.choice(self.accounts)
        if self.dice.random() < 0.3:
            self._flow(UUID(account), Decimal(self.dice.choice((-20, 35, 110))))
        body = {"account": account, "instrument": self.market.symbol, "type": "market"}
        side = self.dice.choice(("buy", "buy", "sell"))
        quantity = str(self.dice.randint(1, 6))
        self.person.post("orders/", {**body, "side": side, "quantity": quantity})
        self.last = max(self.last + self.dice.randint(-7, 7), 20)
        price = str(self.last)
        bar = self.market.bar(open=price, high=price, low=price, close=price)
        feed.feed(bar, now=self.at)
        if self.dice.random() < 0.5:
            with job(self.person.tenant):
                later = self.at + timedelta(minutes=2)
                actions.sample(account_id=UUID(account), now=later)


@pytest.mark.parametrize("seed", [6, 7])
def test_any_two_moments_differ_by_what_was_won_and_what_flowed(
    house: House, market: Market, seed: int
) -> None:
    """equity_end − equity_start = Σ pnl + Σ cash flows, for any range and however it is split."""
    dice = random.Random(seed)
    trader = Trader(house.alice, dice, market)
    for _ in range(30):
        trader.live()
    told = in_usd(history(house.alice, "range=1m&interval=4h"))["points"]
    assert len({point["equity"] for point in told}) > 15
    for _ in range(6):
        first, last = sorted(dice.sample(range(len(told)), 2))
        start, end = told[first], told[last]
        change = Decimal(end["equity"]) - Decimal(start["equity"])
        for by in ("account", "position", "instrument"):
            found = statement(house.alice, by=by, start=start["at"], end=end["at"])
            total = in_usd(found, "totals")
            assert Decimal(total["total"]) == change
            assert (total["equity_start"], total["equity_end"]) == (start["equity"], end["equity"])
            rows = [Decimal(row["total"]) for row in found["rows"]]
            assert sum(rows) == change
    whole = in_usd(statement(house.alice), "totals")
    assert (whole["equity_start"], whole["equity_end"]) == ("0", told[-1]["equity"])
    assert house.alice.get("portfolio/").json()["total"][0]["realized_pnl"] == whole["realized_pnl"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("range=1y&interval=1m", 422, "too_many_points"),
        ("range=1m&interval=15m", 422, "too_many_points"),
        ("range=2d", 400, "invalid"),
        ("interval=2h", 400, "invalid"),
    ],
)
def test_a_history_is_bounded(house: House, query: str, status: int, code: str) -> None:
    refused = house.alice.get(f"portfolio/history/?{query}")
    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_every_range_is_told_at_an_interval_of_its_own(house: House) -> None:
    open_account(house.alice)
    for span in ("1d", "1w", "1m", "3m", "1y", "all"):
        found = history(house.alice, f"range={span}")
        assert in_usd(found)["equity_end"] == "10000"
        assert len(in_usd(found)["points"]) <= 400
    assert history(house.bob)["currencies"] == []


def test_a_statement_does_not_end_before_it_starts(house: House) -> None:
    start, end = stamp(now()), stamp(now() - timedelta(days=1))
    assert house.alice.get(f"portfolio/pnl/?start={start}&end={end}").status_code == 400


def test_a_history_takes_the_same_statements_however_long(house: House, market: Market) -> None:
    account = open_account(house.alice)
    holding(house.alice, account, market)

    def read(path: str) -> None:
        assert house.alice.get(path).status_code == 200

    def statements(path: str) -> int:
        return len(counting.statements(partial(read, path)))

    paths = ("portfolio/history/?range=1d&interval=5m", "portfolio/pnl/?by=position")
    before = [statements(path) for path in paths]
    for hour in range(1, 20):
        sampled(house, account, now() - timedelta(minutes=1) + timedelta(seconds=hour))
    holding(house.alice, account, market)
    assert [statements(path) for path in paths] == before
    assert max(before) <= 9


def test_a_person_sees_the_own_and_who_is_in_charge_all(house: House) -> None:
    for person in (house.alice, house.bob, house.mallory):
        open_account(person)
    worth = {
        name: in_usd(history(getattr(house, name)))["equity_end"]
        for name in ("alice", "bob", "olga", "mallory")
    }
    assert worth == {"alice": "10000", "bob": "10000", "olga": "20000", "mallory": "10000"}
    rows = statement(house.olga)["rows"]
    assert [row["cash_flows"] for row in rows] == ["10000", "10000"]
    assert house.vera.get("portfolio/history/").status_code == 200


def a_portfolio(person: Person, accounts: list[str], **more: str) -> Any:
    body = {"name": "core", "initial_capital": "8000", "accounts": accounts, **more}
    return person.post("portfolios/", body)


def test_a_named_portfolio_is_measured_against_its_capital(house: House, market: Market) -> None:
    alice = house.alice
    first = open_account(alice)
    second = str(alice.post("accounts/", {"name": "second"}).json()["id"])
    made = a_portfolio(alice, [first])
    assert made.status_code == 201, made.json()
    named = made.json()
    assert (named["equity"], named["return_on_capital"]) == ("10000", "0.25")
    alice.post(f"accounts/{second}/deposit/", {"currency": "USD", "amount": "2000"})
    path = f"portfolios/{named['id']}/"
    etag = alice.get(path)["ETag"]
    change = {"accounts": [first, second], "name": "all"}
    changed = alice.request("PATCH", path, change, If_Match=etag)
    assert changed.status_code == 200, changed.json()
    assert changed.json()["return_on_capital"] == "0.5"
    assert alice.request("PATCH", path, change, If_Match=etag).status_code == 412
    holding(alice, first, market)
    (listed,) = alice.get("portfolios/?ordering=name").json()["results"]
    assert (listed["name"], set(listed["accounts"])) == ("all", {first, second})
    assert Decimal(listed["equity"]) < 12_000
    assert alice.request("DELETE", path).status_code == 204
    assert alice.get(path).status_code == 404
    assert alice.get(f"accounts/{first}/").status_code == 200


def test_a_portfolios_name_is_unique_for_its_person_alone(house: House) -> None:
    assert a_portfolio(house.alice, []).status_code == 201
    again = a_portfolio(house.alice, [])
    assert (again.status_code, again.json()["code"]) == (409, "portfolio_name_is_unique")
    assert a_portfolio(house.bob, []).status_code == 201


def test_a_portfolio_holds_ones_own_accounts_alone(house: House) -> None:
    theirs = [open_account(house.bob), open_account(house.mallory), str(uuid4())]
    for account in theirs:
        assert a_portfolio(house.alice, [account]).status_code == 404
    assert house.alice.get("portfolios/").json()["results"] == []


def test_strangers_find_no_portfolio(house: House) -> None:
    path = f"portfolios/{a_portfolio(house.alice, []).json()['id']}/"
    for stranger in (house.bob, house.mallory):
        assert stranger.get(path).status_code == 404
        assert stranger.request("PATCH", path, {"name": "mine"}).status_code == 404
        assert stranger.request("DELETE", path).status_code == 404
    assert house.olga.get(path).status_code == 200
    assert house.vera.request("DELETE", path).status_code == 403


def test_portfolios_are_listed_with_one_look_at_the_books(house: House) -> None:
    account = open_account(house.alice)

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert house.alice.get("portfolios/").status_code == 200
        return len(captured)

    a_portfolio(house.alice, [account])
    before = statements()
    for number in range(4):
        a_portfolio(house.alice, [account], name=f"n{number}")
    assert statements() == before


def test_who_has_closed_nothing_has_no_win_rate(house: House) -> None:
    stats = house.alice.get("dashboard/stats/").json()
    assert (stats["win_rate"], stats["win_rate_reason"]) == (None, "no_closed_positions")
    assert (stats["total_positions"], stats["open_orders"], stats["money"]) == (0, 0, [])


def test_the_dashboard_counts_winners_losers_and_manual_closes(
    house: House, market: Market
) -> None:
    alice = house.alice
    free = {"maker_bps": "0", "taker_bps": "0", "slippage_bps": "0"}
    account = str(alice.post("accounts/", {"name": "free", **free}).json()["id"])
    alice.post(f"accounts/{account}/deposit/", {"currency": "USD", "amount": "10000"})
    for price in ("120", "130", "90", "100"):
        holding(alice, account, market)
        if price == "90":
            position = the_position(alice, account)["id"]
            assert alice.post(f"positions/{position}/close/", {}).status_code == 201
        else:
            place(alice, account, market, side="sell", type="market", quantity="2")
        quiet(market, price)
    holding(alice, account, market)
    place(alice, account, market, side="buy", type="limit", quantity="1", limit_price="50")
    quiet(market, "105")
    stats = alice.get("dashboard/stats/").json()
    counted = ("total_positions", "open_positions", "closed_positions", "open_orders")
    assert [stats[name] for name in counted] == [5, 1, 4, 1]
    outcomes = ("winners", "losers", "break_even", "manual_closes")
    assert [stats[name] for name in outcomes] == [2, 1, 1, 1]
    assert (stats["win_rate"], stats["win_rate_reason"]) == ("0.5", None)
    (money,) = stats["money"]
    assert (money["realized_pnl"], money["unrealized_pnl"], money["fees"]) == ("80", "10", "0")
    everyones = house.olga.get("dashboard/stats/").json()
    assert everyones["closed_positions"] == 4
    assert house.bob.get("dashboard/stats/").json()["total_positions"] == 0


def test_what_fees_have_eaten_was_no_win(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice)
    holding(alice, account, market)
    place(alice, account, market, side="sell", type="market", quantity="2")
    quiet(market, "100.2")
    stats = alice.get("dashboard/stats/").json()
    assert Decimal(stats["money"][0]["realized_pnl"]) > 0
    assert (stats["winners"], stats["losers"], stats["win_rate"]) == (0, 1, "0")
