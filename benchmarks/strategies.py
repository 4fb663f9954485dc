"""What both engines are asked to do: the same decisions, written once, on a desk of either.

A position is of one unit. Every price is in the levels of its bar, reckoned before the run and on
the cent, so that a float and a decimal mean the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

# Where the resting buys stand that no bar comes near, in the quote currency.
FAR = range(100, 200)


class Desk(Protocol):
    """Where a strategy trades: one engine, after it has met the bar."""

    @property
    def held(self) -> int:
        """Units; below 0 for a short position."""

    def place(self, side: str, kind: str, price: Any = None) -> None:
        """Place an order for one unit."""

    def rest(self, price: int) -> None:
        """Place a limit buy that `withdraw` leaves alone."""

    def withdraw(self) -> None:
        """Cancel what was placed and is still open."""


@dataclass(frozen=True, slots=True)
class Levels:
    """What follows from a bar and those before it."""

    entry: Any
    profit: Any
    stop: Any
    cross: int  # 1 where the faster mean has crossed upwards, −1 downwards, else 0


Decide = Callable[[Desk, int, Levels], None]


def every_bar() -> Decide:
    """A market order at each bar: in, and out again."""

    def decide(desk: Desk, _bar: int, _levels: Levels) -> None:
        desk.place("sell" if desk.held else "buy", "market")

    return decide


def means_cross() -> Decide:
    """In where the mean of 10 closes crosses above that of 20, out where it crosses back."""

    def decide(desk: Desk, _bar: int, levels: Levels) -> None:
        if levels.cross > 0 and not desk.held:
            desk.place("buy", "market")
        elif levels.cross < 0 and desk.held:
            desk.place("sell", "market")

    return decide


def limits_and_stops() -> Decide:
    """A limit entry, moved at every fourth bar; then a limit above and a stop below it.

    One bar can fill both: the short position that is left is bought back.
    """
    was = 0

    def decide(desk: Desk, bar: int, levels: Levels) -> None:
        nonlocal was
        held = desk.held
        if held != was or (not held and bar % 4 == 0):
            desk.withdraw()
            if held > 0:
                desk.place("sell", "limit", levels.profit)
                desk.place("sell", "stop", levels.stop)
            elif held < 0:
                desk.place("buy", "market")
            else:
                desk.place("buy", "limit", levels.entry)
        was = held

    return decide


def among_far_orders(number: int) -> Decide:
    """The same, while as many orders rest far from the market."""
    trade = limits_and_stops()

    def decide(desk: Desk, bar: int, levels: Levels) -> None:
        if bar == 1:
            for place in range(number):
                desk.rest(FAR[place % len(FAR)])
        trade(desk, bar, levels)

    return decide


HUNDRED_FAR, CROWD_FAR = "the same, and 100 orders far away", "the same, and 10,000 far away"

STRATEGIES: dict[str, Callable[[], Decide]] = {
    "a market order at every bar": every_bar,
    "market orders where means cross": means_cross,
    "limit entries, limit and stop exits": limits_and_stops,
    HUNDRED_FAR: partial(among_far_orders, 100),
    CROWD_FAR: partial(among_far_orders, 10_000),
}
