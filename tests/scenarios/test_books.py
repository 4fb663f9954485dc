"""Books that balance: random traders, both cost methods, and a crash between any two statements."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection

from tests.cast import House, Person, job, now
from tests.market import Market, list_instrument
from tests.scenarios.test_replay import asked, disturb, replayed
from tests.trading import books
from trading.market.bars import Bar
from trading.orders import feed

# The suite tries a few; more by BOOKS_SEEDS.
SEEDS = range(int(os.environ.get("BOOKS_SEEDS", "2")))


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


class Crash(OperationalError):
    """The database went away in the middle."""


@contextmanager
def crash_at(statement: int) -> Iterator[None]:
    """The connection breaks before the n-th statement of whatever comes."""
    left = statement

    def breaking(execute: Callable[..., Any], *asked: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Crash("gone")
        return execute(*asked)

    with connection.execute_wrapper(breaking):
        yield


def open_account(person: Person, cost_method: str) -> str:
    body = {"name": cost_method, "currency": "USD", "cost_method": cost_method}
    account = str(person.post("accounts/", body).json()["id"])
    money = {"currency": "USD", "amount": "1500"}
    assert person.post(f"accounts/{account}/deposit/", money).status_code == 201
    return account


def bar_of(dice: random.Random, market: Market, last: int) -> tuple[Bar, int]:
    start = last + dice.choice((0, 0, 0, -4, 4))
    close = start + dice.randint(-4, 4)
    numbers = {
        "open": str(start),
        "high": str(max(start, close) + dice.randint(0, 3)),
        "low": str(min(start, close) - dice.randint(0, 3)),
        "close": str(close),
        "volume": dice.choice(("0", "0", "12", "25")),
    }
    return market.bar(**numbers), max(close, 40)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cost_method", ["average", "fifo"])
def test_the_books_balance_after_every_bar_whatever_breaks(
    house: House, market: Market, seed: int, cost_method: str
) -> None:
    alice, dice, last = house.alice, random.Random(f"{seed}{cost_method}"), 100
    account = open_account(alice, cost_method)
    crashes = 0
    for _ in range(20):
        for _ in range(dice.randint(0, 3)):
            body = {"account": account, "instrument": market.symbol, **asked(dice, last)}
            crashes += _broken(dice, lambda body=body: alice.post("orders/", body))
        disturb(dice, alice, account)
        bar, last = bar_of(dice, market, last)
        crashes += _broken(dice, lambda bar=bar: feed.feed(bar, now=now()))
        feed.feed(bar, now=now())
        with job(house.tenant):
            books.check(account)
    assert crashes > 5
    assert set(replayed(house, account)["instruments"].values()) <= {True}


def _broken(dice: random.Random, act: Callable[[], Any]) -> bool:
    """Carry something out while the database goes away at some statement, or after the last."""
    try:
        with crash_at(dice.randint(1, 40)):
            answer = act()
    except Crash:
        return True
    return getattr(answer, "status_code", 200) == 503
