"""Long answers, from exchanges that begin at either end: without a gap, in the order of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from trading.venues import pages
from trading.venues.pages import Gathered

START = datetime(2024, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=10)


@dataclass(frozen=True)
class Trade:
    id: str
    at: datetime


class Teller:
    """An exchange's list of trades, of which it shows so many at once."""

    def __init__(self, trades: list[Trade], size: int, *, newest_first: bool) -> None:
        self.trades, self.size, self.newest_first = trades, size, newest_first
        self.asked = 0
        self.longest = timedelta(0)

    def ask(self, since: datetime, until: datetime | None) -> list[Trade]:
        self.asked += 1
        self.longest = max(self.longest, (until or NOW) - since)
        fits = [t for t in self.trades if since <= t.at and (until is None or t.at <= until)]
        return fits[-self.size :] if self.newest_first else fits[: self.size]


def evenly(count: int) -> list[Trade]:
    return [Trade(f"{n:06}", START + (NOW - START) * n / (count + 1)) for n in range(count)]


def at_the_end(count: int) -> list[Trade]:
    """Nothing for days, then all within an hour."""
    last = NOW - timedelta(hours=1)
    return [Trade(f"{n:06}", last + timedelta(hours=1) * n / (count + 1)) for n in range(count)]


def in_bursts(count: int) -> list[Trade]:
    return [
        Trade(f"{n:06}", START + timedelta(hours=n // 400, milliseconds=n % 400))
        for n in range(count)
    ]


def all_of(teller: Teller, widest: timedelta | None = None) -> list[Trade]:
    """By as many gatherings as it takes, each going on from where the last one stopped."""
    found: dict[str, Trade] = {}
    since = START
    while True:
        before = teller.asked
        seen: Gathered[Trade] = pages.gather(teller.ask, since=since, now=NOW, widest=widest)
        assert teller.asked - before <= pages.MOST
        assert list(seen.rows) == sorted(seen.rows, key=lambda trade: (trade.at, trade.id))
        found |= {trade.id: trade for trade in seen.rows}
        end = seen.until or NOW
        assert [t for t in teller.trades if t.at <= end and t.id not in found] == [], "a gap"
        if seen.until is None:
            return sorted(found.values(), key=lambda trade: trade.id)
        assert seen.until > since, "it gets nowhere"
        since = seen.until


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("size", [50, 500])
@pytest.mark.parametrize("spread", [evenly, at_the_end, in_bursts])
@pytest.mark.parametrize("count", [0, 49, 50, 51, 130, 2_000, 9_000])
def test_all_are_gathered_whichever_end_comes_first(
    count: int, spread: Callable[[int], list[Trade]], size: int, newest_first: bool
) -> None:
    trades = spread(count)
    found = all_of(Teller(trades, size, newest_first=newest_first))
    assert found == trades


@pytest.mark.parametrize("count", [0, 1, 49])
def test_few_take_one_question(count: int) -> None:
    teller = Teller(evenly(count), 50, newest_first=True)
    assert len(all_of(teller)) == count
    assert teller.asked == 1


@pytest.mark.parametrize("newest_first", [True, False])
def test_no_more_is_asked_about_at_once_than_the_exchange_allows(newest_first: bool) -> None:
    teller = Teller(evenly(300), 50, newest_first=newest_first)
    found = all_of(teller, widest=timedelta(days=1))
    assert found == teller.trades
    assert teller.longest <= timedelta(days=1)


def test_trades_that_come_in_meanwhile_leave_no_gap() -> None:
    teller = Teller(evenly(60), 50, newest_first=True)
    late = [Trade(f"z{n:03}", NOW - timedelta(seconds=1, milliseconds=-n)) for n in range(200)]
    ask = teller.ask

    def busy(since: datetime, until: datetime | None) -> list[Trade]:
        page = ask(since, until)
        if len(teller.trades) < 200:
            teller.trades = [*teller.trades, *late]
        return page

    teller.ask = busy
    assert len(all_of(teller)) == 260


def test_more_of_one_moment_than_a_page_shows_is_not_passed_over() -> None:
    """It does not go on, and says so: what cannot be seen is not taken for nothing."""
    trades = [Trade(f"{n:03}", START + timedelta(days=1)) for n in range(80)]
    seen = pages.gather(Teller(trades, 50, newest_first=True).ask, since=START, now=NOW)
    assert seen.until is not None
    assert seen.until < trades[0].at


def test_several_answers_reach_as_far_as_the_shortest() -> None:
    first = Gathered((Trade("a", START), Trade("c", START + timedelta(days=2))))
    second = Gathered((Trade("b", START),), START + timedelta(days=1))
    both = pages.together([first, second])
    assert [trade.id for trade in both.rows] == ["a", "b"]
    assert both.until == START + timedelta(days=1)
    assert pages.together([first]) == Gathered(first.rows)
