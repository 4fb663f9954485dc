"""A random trader as a state machine: any step may break off in the middle, the books never."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.cast import House, Person, build_person, job, now
from tests.market import Market, list_instrument
from tests.scenarios import drawn
from tests.scenarios.crashes import interrupted
from tests.scenarios.test_replay import replayed
from tests.trading import books
from trading.market import actions as market
from trading.market.bars import Bar
from trading.market.ticks import Tick
from trading.models import Account, CashMovement, Fill, Order, Position
from trading.orders import actions, feed
from trading.orders.models import ACCOUNT_RESET
from trading.orders.states import OPEN
from trading.portfolio import actions as portfolio

# What a trader may be answered: done, or a refusal that says why.
ANSWERS = {200, 201, 400, 404, 409, 422}
DONE = {200, 201}
HOUR = timedelta(hours=1)


def a_market_to_come() -> Market:
    """Its bars lie ahead of the clock, so that orders with a date end by the market too."""
    market = list_instrument()
    first = market.bar(open="1", high="1", low="1", close="1")
    market = replace(market, hours=count((now() - first.start) // HOUR + 2))
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def open_account(person: Person, cost_method: str) -> str:
    body = {"name": cost_method, "currency": "USD", "cost_method": cost_method}
    return str(person.post("accounts/", body).json()["id"])


class Trader(RuleBasedStateMachine):
    """A person with an account in a market of their own; any step may break off in the middle.

    Whoever was cut off asks again with the same key, or leaves it at that. A bar that broke off is
    fed again before the next one, as the feed does it, but not before others had their turn.
    """

    def __init__(self, house: House, cost_method: str, tally: Counter[str]) -> None:
        super().__init__()
        self.house, self.tally = house, tally
        self.person = build_person(house.tenant, f"trader-{uuid4().hex[:8]}")
        self.market = a_market_to_come()
        self.last, self.bars = Decimal(100), 0
        self.unfed: Bar | Tick | None = None
        self.newest: Bar | Tick
        self.account = open_account(self.person, cost_method)
        self.flows = Decimal(0)
        self.answered: set[str] = set()
        self.doubtful = 0
        self.fills: dict[UUID, tuple[Any, ...]] = {}
        self.open: list[dict[str, Any]] = []
        self.positions: list[str] = []
        self.deposit("1500", None)
        self.books_balance()
        body = {"account": self.account, "instrument": self.market.symbol, "side": "buy"}
        self._order(
            "POST", "orders/", {**body, "type": "market", "quantity": "4"}, None, again=True
        )
        self._next_bar({"open": "100", "high": "101", "low": "99", "close": "100"}, None)

    @rule(amount=drawn.amounts, moment=drawn.moments)
    def deposit(self, amount: str, moment: int | None) -> None:
        if self._money("deposit", amount, moment):
            self.flows += Decimal(amount)

    @rule(amount=drawn.amounts, moment=drawn.moments)
    def withdraw(self, amount: str, moment: int | None) -> None:
        if self._money("withdraw", amount, moment):
            self.flows -= Decimal(amount)

    @rule(data=st.data(), moment=drawn.moments, again=st.booleans(), more=st.integers(0, 2))
    def place(self, data: st.DataObject, moment: int | None, again: bool, more: int) -> None:
        at = self.newest.end + HOUR
        for crash in (moment, *[None] * more):
            body = {"account": self.account, "instrument": self.market.symbol}
            body |= data.draw(drawn.orders(self.last, at))
            self._order("POST", "orders/", {**body, "client_order_id": uuid4().hex}, crash, again)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), moment=drawn.moments, again=st.booleans())
    def replace(self, data: st.DataObject, moment: int | None, again: bool) -> None:
        order = self.open[data.draw(st.integers(0, 9)) % len(self.open)]
        change = data.draw(drawn.changes(order, self.last))
        self._order("PATCH", f"orders/{order['id']}/", change, moment, again)

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 9), moment=drawn.moments, again=st.booleans())
    def cancel(self, which: int, moment: int | None, again: bool) -> None:
        order = self.open[which % len(self.open)]
        self._ask("DELETE", f"orders/{order['id']}/", None, moment, again)

    @precondition(lambda self: self.open)
    @rule(moment=drawn.moments, again=st.booleans())
    def cancel_all(self, moment: int | None, again: bool) -> None:
        self._ask("POST", "orders/cancel-all/", {}, moment, again)

    @precondition(lambda self: self.positions)
    @rule(percent=st.sampled_from(["100", "50"]), moment=drawn.moments, again=st.booleans())
    def close(self, percent: str, moment: int | None, again: bool) -> None:
        path = f"positions/{self.positions[0]}/close/"
        self._order("POST", path, {"percent": percent}, moment, again)

    @precondition(lambda self: self.positions)
    @rule(amount=drawn.amounts, moment=drawn.moments, again=st.booleans())
    def add_funds(self, amount: str, moment: int | None, again: bool) -> None:
        path = f"positions/{self.positions[0]}/add-funds/"
        self._order("POST", path, {"amount": amount}, moment, again)

    @rule(data=st.data(), moment=drawn.moments, more=st.integers(0, 2))
    def trade(self, data: st.DataObject, moment: int | None, more: int) -> None:
        """The market goes on, by a bar or some, or by ticks, whose bar comes later or never.

        What lies inside a longer bar that came before is no news.
        """
        self.feed_again()
        by_ticks = data.draw(st.booleans())
        for crash in (*[None] * more, moment):
            if by_ticks:
                self._next_tick(*data.draw(drawn.ticks(self.last)), crash)
            else:
                numbers = data.draw(drawn.bars(self.last))
                self._next_bar(numbers, crash, data.draw(drawn.timeframes))

    @rule(data=st.data(), moment=drawn.moments)
    def load(self, data: st.DataObject, moment: int | None) -> None:
        """History around the newest: a gap, what lies ahead, another length, a correction."""
        start = self.newest.start + HOUR * data.draw(st.integers(-5, 5))
        bar = self.market.bar(**data.draw(drawn.bars(self.last)))
        past = replace(bar, start=start, timeframe=data.draw(drawn.timeframes))
        self._try(partial(market.load, [past]), moment)

    @precondition(lambda self: self.unfed)
    @rule()
    def feed_again(self) -> None:
        if self.unfed is not None:
            self._feed(self.unfed, None)

    @precondition(lambda self: not self.unfed)
    @rule(moment=drawn.moments)
    def feed_twice(self, moment: int | None) -> None:
        assert not self._try(partial(feed.feed, self.newest, now=now()), moment)

    @rule(moment=drawn.moments, again=st.booleans())
    def expire(self, moment: int | None, again: bool) -> None:
        """The timer, by the market's clock."""
        if self._try(self._expire, moment) is None and again:
            self._expire()

    @precondition(lambda self: self.bars > 8)
    @rule(amount=drawn.amounts, moment=drawn.moments)
    def start_over(self, amount: str, moment: int | None) -> None:
        body = {"currency": "USD", "amount": amount}
        answer = self._ask("POST", f"accounts/{self.account}/reset/", body, moment, again=True)
        assert answer.status_code == 200, answer.content
        (balance,) = self.person.get(f"accounts/{self.account}/balances/").json()["results"]
        assert (balance["total"], balance["locked"]) == (amount, "0")
        self.flows, self.bars = self._flows(), 0

    @invariant()
    def books_balance(self) -> None:
        with job(self.house.tenant):
            books.check(self.account)
            assert Account.objects.get(pk=self.account).status == Account.Status.ACTIVE
            self._nothing_is_lost_or_doubled()
            rows = Order.objects.filter(account=self.account, status__in=OPEN)
            names = ("id", "limit_price", "stop_price", "trail_amount", "trail_percent")
            self.open = list(rows.order_by("id").values(*names))
            held = Position.objects.filter(account=self.account, closed_at=None)
            self.positions = [str(key) for key in held.values_list("id", flat=True)]

    def teardown(self) -> None:
        """Once the market stands still, the past is made again; and all is sold."""
        self.feed_again()
        self._past_is_made_again()
        self.start_over("7", None)
        self.books_balance()
        assert self.positions == self.open == []
        self._past_is_made_again()
        self.tally.update(sequences=1, fills=len(self.fills), orders=len(self.answered))

    def _nothing_is_lost_or_doubled(self) -> None:
        assert self._flows() == self.flows
        fills = Fill.objects.filter(account=self.account)
        lines = {line[0]: line for line in fills.values_list("id", "trade_id", "quantity", "price")}
        assert self.fills.items() <= lines.items()
        self.fills = lines
        orders = Order.objects.filter(account=self.account)
        top = orders.filter(parent=None).exclude(status_reason=ACCOUNT_RESET, type="market")
        assert self.answered <= {str(key) for key in orders.values_list("id", flat=True)}
        unknown = {str(key) for key in top.values_list("id", flat=True)} - self.answered
        assert len(unknown) <= self.doubtful

    def _past_is_made_again(self) -> None:
        assert set(replayed(self.house, self.account)["instruments"].values()) <= {True}
        with job(self.house.tenant):
            portfolio.sample(account_id=UUID(self.account), now=now())
        (worth,) = self.person.get("portfolio/").json()["total"]
        end = (now() + timedelta(days=99)).isoformat().replace("+00:00", "Z")
        (told,) = self.person.get(f"portfolio/pnl/?end={end}").json()["totals"]
        start, gained, flows, equity = (
            Decimal(told[name] or 0) for name in ("equity_start", "pnl", "cash_flows", "equity_end")
        )
        assert equity - start == gained + flows
        assert (equity, flows) == (Decimal(worth["equity"]), self.flows)

    def _money(self, way: str, amount: str, moment: int | None) -> bool:
        body = {"currency": "USD", "amount": amount}
        path = f"accounts/{self.account}/{way}/"
        return self._ask("POST", path, body, moment, again=True).status_code in DONE

    def _order(self, method: str, path: str, body: Any, moment: int | None, again: bool) -> None:
        """Ask for what makes an order."""
        answer = self._ask(method, path, body, moment, again)
        if answer is None:
            self.doubtful += 1
        elif answer.status_code in DONE:
            self.answered.add(answer.json()["id"])

    def _ask(self, method: str, path: str, body: Any, moment: int | None, again: bool) -> Any:
        """The answer in the end; None for who was cut off and left it at that."""
        act = partial(self.person.request, method, path, body, Idempotency_Key=uuid4().hex)
        answer = self._try(act, moment)
        if answer is None and again:
            answer = act()
        assert answer is None or answer.status_code in ANSWERS, answer.content
        return answer

    def _next_bar(self, numbers: dict[str, str], moment: int | None, timeframe: str = "1h") -> None:
        bar = replace(self.market.bar(**numbers), timeframe=timeframe)
        self.newest, self.last, self.bars = bar, bar.close, self.bars + 1
        self._feed(bar, moment)

    def _next_tick(self, wait: timedelta, price: str, quantity: str, moment: int | None) -> None:
        tick = self.market.tick(self.newest.end + wait, price, quantity)
        self.newest, self.last = tick, tick.price
        self._feed(tick, moment)

    def _feed(self, printed: Bar | Tick, moment: int | None) -> None:
        done = self._try(partial(feed.feed, printed, now=now()), moment)
        self.unfed = printed if done is None else None

    def _try(self, act: Callable[[], Any], moment: int | None) -> Any:
        answer = interrupted(act, moment)
        self.tally["crashes"] += answer is None
        return answer

    def _expire(self) -> int:
        with job(self.house.tenant):
            return actions.expire_due(now=self.newest.end)

    def _flows(self) -> Decimal:
        """Money in and out, as it is on record."""
        rows = CashMovement.objects.filter(account=self.account)
        with job(self.house.tenant):
            return sum(rows.values_list("amount", flat=True), Decimal(0))
