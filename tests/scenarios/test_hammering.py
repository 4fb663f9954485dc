"""Many clients on few accounts, with the market moving underneath: exact books, and no deadlock.

The suite hammers for some seconds; a campaign by HAMMER_SECONDS and HAMMER_CLIENTS.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from tests.cast import House, Person, build_house, job, now
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import open_account
from tests.scenarios.test_replay import asked, replayed
from tests.trading import books
from trading.orders import feed

SECONDS = float(os.environ.get("HAMMER_SECONDS", "4"))
CLIENTS = int(os.environ.get("HAMMER_CLIENTS", "10"))
# What an order or a cancel may be answered with: refusals, and nothing else.
ANSWERS = {200, 201, 400, 404, 409, 422}


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def hammer(person: Person, account: str, market: Market, seed: int, until: float) -> Counter[int]:
    """Place and cancel as fast as it goes."""
    dice, answers = random.Random(seed), Counter[int]()
    mine: list[str] = []
    while time.monotonic() < until:
        if mine and dice.random() < 0.4:
            answer = alone(person, "DELETE", f"orders/{mine.pop(dice.randrange(len(mine)))}/")
        else:
            body = {"account": account, "instrument": market.symbol, **asked(dice, 100)}
            answer = alone(person, "POST", "orders/", body)
            if answer.status_code == 201:
                mine.append(answer.json()["id"])
        answers[answer.status_code] += 1
    return answers


def alone(person: Person, method: str, path: str, body: Any = None) -> Any:
    """A request whose connection goes back to the pool."""
    try:
        return person.request(method, path, body)
    finally:
        connection.close()


def move(market: Market, stop: threading.Event) -> int:
    """The market, walking about 100 until told to stop; gives its bars."""
    dice, bars = random.Random(5), 0
    while not stop.wait(0.05):
        low, high = 100 - dice.randint(0, 6), 100 + dice.randint(0, 6)
        volume = dice.choice(("0", "20"))
        bar = market.bar(open="100", high=str(high), low=str(low), close="100", volume=volume)
        feed.feed(bar, now=now())
        bars += 1
    connection.close()
    return bars


def together(
    accounts: list[tuple[House, str]], market: Market, clients: int
) -> tuple[Counter[int], int]:
    stop, until = threading.Event(), time.monotonic() + SECONDS
    with ThreadPoolExecutor(clients + 1) as pool:
        moving = pool.submit(move, market, stop)
        hammering = [
            pool.submit(hammer, house.alice, account, market, number, until)
            for number in range(clients)
            for house, account in [accounts[number % len(accounts)]]
        ]
        answers = sum((client.result() for client in hammering), Counter[int]())
        stop.set()
        return answers, moving.result()


def check(house: House, account: str, market: Market) -> None:
    with job(house.tenant):
        books.check(account)
    assert set(replayed(house, account)["instruments"].values()) <= {True}


def test_one_account_bears_many_hands(house: House, market: Market) -> None:
    account = open_account(house.alice, amount="100000")
    answers, bars = together([(house, account)], market, CLIENTS)
    assert set(answers) <= ANSWERS, answers
    assert answers[201] > 5
    assert bars > 2
    check(house, account, market)


def test_accounts_of_both_tiers_bear_it_at_once(market: Market) -> None:
    houses = [build_house(tier) for tier in ("starter", "enterprise")]
    accounts = [
        (house, open_account_named(house.alice, number)) for house in houses for number in range(4)
    ]
    answers, _ = together(accounts, market, max(CLIENTS, len(accounts)))
    assert set(answers) <= ANSWERS, answers
    for house, account in accounts:
        check(house, account, market)


def open_account_named(person: Person, number: int) -> str:
    account = str(person.post("accounts/", {"name": f"paper {number}"}).json()["id"])
    money = {"currency": "USD", "amount": "100000"}
    assert person.post(f"accounts/{account}/deposit/", money).status_code == 201
    return account
