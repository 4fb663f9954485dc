"""Books that balance, whatever traders, markets and crashes do: state machines over the database.

The suite tries a few sequences; `make campaign` tries thousands (BOOKS_EXAMPLES).
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.cast import House, job, now
from tests.scenarios.crashes import interrupted
from tests.scenarios.test_replay import replayed
from tests.scenarios.trader import DONE, Trader, a_market_to_come, open_account
from tests.trading import books
from trading.models import Fill, Order
from trading.orders import feed

IN_THE_SUITE = 2
EXAMPLES = int(os.environ.get("BOOKS_EXAMPLES", IN_THE_SUITE))
# The suite breaks off at each fifth moment, a campaign at each.
STRIDE = 5 if EXAMPLES <= IN_THE_SUITE else 1
SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    deadline=None,
    derandomize=EXAMPLES <= IN_THE_SUITE,
    suppress_health_check=list(HealthCheck),
    # To make shorter what takes seconds would take an hour: a sequence is told as it came.
    phases=[Phase.generate],
)


@pytest.fixture(autouse=True)
def _without_traces() -> Iterator[None]:
    """Each crash is logged with its trace, and they come by the thousand."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("cost_method", ["average", "fifo"])
def test_the_books_of_a_random_trader_balance_whatever_breaks(
    house: House, cost_method: str
) -> None:
    tally = Counter[str]()
    run_state_machine_as_test(partial(Trader, house, cost_method, tally), settings=SETTINGS)
    sys.stdout.write(f"{house.tenant.tier} {cost_method}: {dict(sorted(tally.items()))}\n")
    assert tally["crashes"] > EXAMPLES
    assert tally["fills"] > EXAMPLES


class Day:
    """A trader's day in steps, each broken off at moment after moment, and asked for again."""

    def __init__(self, house: House, cost_method: str) -> None:
        self.house, self.person, self.market = house, house.alice, a_market_to_come()
        self.account = open_account(self.person, cost_method)
        self.crashes = self.steps = 0

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask with one key until the answer comes; gives what was answered at first."""
        key = {"Idempotency_Key": uuid4().hex}
        answer = self.survive(partial(self.person.request, method, path, body, **key))
        assert answer.status_code in DONE, answer.content
        return dict(answer.json()) if answer.content.startswith(b"{") else {}

    def order(self, **asked: Any) -> dict[str, Any]:
        return self.ask(
            "POST", "orders/", {"account": self.account, "instrument": self.market.symbol, **asked}
        )

    def bar(self, first: str, high: str, low: str, close: str) -> None:
        bar = self.market.bar(open=first, high=high, low=low, close=close)
        self.survive(partial(feed.feed, bar, now=now()))

    def survive(self, act: Callable[[], Any]) -> Any:
        self.steps += 1
        for moment in count(1 + self.steps % STRIDE, STRIDE):
            answer = interrupted(act, moment)
            with job(self.house.tenant):
                books.check(self.account)
            if answer is not None:
                return answer
            self.crashes += 1
        raise AssertionError


@pytest.mark.parametrize(("tier", "cost_method"), [("starter", "average"), ("enterprise", "fifo")])
def test_a_day_that_breaks_off_before_every_statement_is_lived_once(
    house: House, cost_method: str
) -> None:
    day = Day(house, cost_method)
    account, person = day.account, day.person
    day.ask("POST", f"accounts/{account}/deposit/", {"currency": "USD", "amount": "2000"})
    exits = {"take_profit": {"limit_price": "110"}, "stop_loss": {"stop_price": "90"}}
    day.order(side="buy", type="market", quantity="2", **exits)
    resting = day.order(side="buy", type="limit", quantity="1", limit_price="80")
    day.bar("100", "101", "99", "100")
    changed = day.ask("PATCH", f"orders/{resting['id']}/", {"limit_price": "96"})
    day.bar("100", "104", "95", "100")
    day.bar("100", "112", "99", "111")
    (position,) = person.get(f"positions/?account={account}&open=true").json()["results"]
    day.ask("POST", f"positions/{position['id']}/close/", {"percent": "50"})
    day.bar("111", "111", "111", "111")
    day.order(side="buy", type="limit", quantity="1", limit_price="50")
    day.ask("POST", "orders/cancel-all/", {})
    day.ask("POST", f"accounts/{account}/reset/", {"currency": "USD", "amount": "5"})
    sys.stdout.write(f"{house.tenant.tier} {cost_method}: {day.crashes} moments\n")
    assert day.crashes > 200 / STRIDE
    with job(house.tenant):
        fills = Fill.objects.filter(account=account).order_by("id")
        told = [(f.side, f"{f.quantity:f}".rstrip("0").rstrip(".")) for f in fills]
        orders = Order.objects.filter(account=account)
        assert orders.get(pk=changed["id"]).status == "filled"
        assert orders.count() == 8
    assert told == [("buy", "2"), ("buy", "1"), ("sell", "2"), ("sell", "0.5"), ("sell", "0.5")]
    assert set(replayed(house, account)["instruments"].values()) == {True}
