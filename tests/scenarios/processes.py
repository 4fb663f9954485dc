"""Processes of the product, to be killed: the feed, a worker, the web."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tests.cast import Person
from tests.market import Market
from tests.scenarios.test_order_types import bracket, place

ROOT = Path(__file__).resolve().parents[2]
BARS = 60
FEEDS = {"bars.csv": ["feed_candles", "--timeframe", "1h"], "ticks.csv": ["feed_ticks"]}


def crowd(person: Person, account: str, market: Market) -> None:
    """Orders that are filled here and there along the way."""
    for price in range(84, 100, 2):
        asked = {"side": "buy", "type": "limit", "quantity": "1", "limit_price": str(price)}
        place(person, account, market, **asked)
    for _ in range(3):
        bracket(person, account, market)


def history(market: Market, folder: Path) -> Path:
    """Bars of the next days, on their way down and up again, as a file."""
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


def trades(market: Market, folder: Path) -> Path:
    """Ticks of the next hours, three of each moment, on their way down and up again, as a file."""
    dice, last, start = random.Random(7), 100, market.bar(open="1", high="1", low="1", close="1")
    lines = ["at,price,quantity,side,trade_id,is_buyer_maker"]
    for number in range(2 * BARS):
        last = min(max(last + dice.randint(-3, 3), 82), 122)
        at = start.start + timedelta(minutes=number // 3)
        lines.append(f"{at.isoformat()},{last},1000,buy,{number},false")
    file = folder / "ticks.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def feeding(
    file: Path, symbol: str, environment: Mapping[str, str] = os.environ
) -> subprocess.Popen[bytes]:
    command = [*FEEDS[file.name], str(file), "--symbol", symbol]
    return subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def working(
    queue: str, log: Path, *, name: str = "celery", processes: int = 2, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker of so many processes that nobody else's tasks reach.

    `environment` adds variables of its own.
    """
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "-Q", queue]
    command += ["--concurrency", str(processes), "--loglevel", "info"]
    command += ["--without-mingle", "--without-gossip"]
    command += ["-n", f"{name}@%h"]
    with log.open("wb") as out:
        worker = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **environment},
        )
    try:
        until(lambda: " ready." in log.read_text())
        yield worker
    finally:
        if worker.poll() is None:
            worker.terminate()
            worker.wait(timeout=20)


def kill_all_of(process: subprocess.Popen[bytes]) -> None:
    """With the children of its session."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(true: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
