"""kill -9 in the middle of matching: fed again, the books are what a replay says."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cast import House, Person, job
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import open_account
from tests.scenarios.test_order_types import bracket, place
from tests.scenarios.test_replay import replayed
from tests.trading import books
from trading.models import Fill

ROOT = Path(__file__).resolve().parents[2]
BARS = 60


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def crowd(person: Person, account: str, market: Market) -> None:
    """Orders that are filled here and there along the way."""
    for price in range(84, 100):
        asked = {"side": "buy", "type": "limit", "quantity": "1", "limit_price": str(price)}
        place(person, account, market, **asked)
    for _ in range(3):
        bracket(person, account, market)


def history(market: Market, folder: Path) -> Path:
    """Bars of the next days, on their way down and up again."""
    dice, last = random.Random(7), 100
    lines = ["start,open,high,low,close,volume"]
    for _ in range(BARS):
        close = min(max(last + dice.randint(-3, 3), 84), 122)
        high, low = max(last, close) + 1, min(last, close) - 1
        bar = market.bar(open=str(last), high=str(high), low=str(low), close=str(close))
        lines.append(f"{bar.start.isoformat()},{last},{high},{low},{close},0")
        last = close
    file = folder / "bars.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def feeding(file: Path, market: Market) -> subprocess.Popen[bytes]:
    command = ["feed_candles", str(file), "--symbol", market.symbol, "--timeframe", "1h"]
    return subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={**os.environ},
        stdout=subprocess.DEVNULL,
    )


def filled(house: House, account: str) -> int:
    with job(house.tenant):
        return Fill.objects.filter(account=account).count()


def test_a_feed_that_is_killed_again_and_again_loses_and_doubles_nothing(
    house: House, market: Market, tmp_path: Path
) -> None:
    account = open_account(house.alice, amount="10000")
    crowd(house.alice, account, market)
    file = history(market, tmp_path)
    kills = 0
    for _ in range(3):
        process, before = feeding(file, market), filled(house, account)
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            if filled(house, account) > before + 1:
                process.kill()
                kills += 1
                break
            time.sleep(0.01)
        process.wait()
    assert kills > 1
    assert feeding(file, market).wait(timeout=120) == 0
    assert filled(house, account) > 10
    with job(house.tenant):
        books.check(account)
    assert replayed(house, account)["instruments"] == {market.symbol: True}
