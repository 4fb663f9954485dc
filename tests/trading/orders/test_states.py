"""Every pair of states, drawn."""

from __future__ import annotations

from itertools import product

import pytest

from trading.orders.states import (
    FINAL,
    OPEN,
    STEPS,
    WORKING,
    IllegalStep,
    OrderStatus,
    after_fill,
    step,
)

# From the state of the row to the state of the column, in the same order.
MATRIX = """
                  in su ac tr pf fi de re pc ca pr rp ex
initialized        .  x  .  .  .  .  x  .  .  x  x  .  x
submitted          .  .  x  x  x  x  .  x  x  x  .  .  x
accepted           .  .  .  x  x  x  .  x  x  x  x  .  x
triggered          .  .  .  .  x  x  .  x  x  x  x  .  x
partially_filled   .  .  .  .  x  x  .  .  x  x  x  .  x
filled             .  .  .  .  .  .  .  .  .  .  .  .  .
denied             .  .  .  .  .  .  .  .  .  .  .  .  .
rejected           .  .  .  .  .  .  .  .  .  .  .  .  .
pending_cancel     .  .  x  x  x  x  .  .  .  x  .  .  x
canceled           .  .  .  .  .  x  .  .  .  .  .  .  .
pending_replace    .  .  x  x  x  x  .  .  x  x  .  x  x
replaced           .  .  .  .  .  x  .  .  .  .  .  .  .
expired            .  .  .  .  .  x  .  .  .  .  .  .  .
"""
ROWS = [line.split() for line in MATRIX.strip().splitlines()[1:]]
DRAWN = {
    (OrderStatus(name), to): mark == "x"
    for name, *marks in ROWS
    for to, mark in zip(OrderStatus, marks, strict=True)
}


def test_the_drawing_is_whole() -> None:
    assert list(DRAWN) == list(product(OrderStatus, repeat=2))


@pytest.mark.parametrize(("current", "to"), DRAWN)
def test_step_allows_what_is_drawn_and_nothing_else(current: OrderStatus, to: OrderStatus) -> None:
    if DRAWN[current, to]:
        assert step(current, to) is to
    else:
        with pytest.raises(IllegalStep) as refused:
            step(current, to)
        assert (refused.value.current, refused.value.to) == (current, to)


def test_every_state_is_either_open_or_final() -> None:
    assert set(OrderStatus) == OPEN | FINAL
    assert not OPEN & FINAL
    assert WORKING < OPEN


def test_every_open_order_can_end_and_every_state_can_be_reached() -> None:
    assert all(STEPS[status] & FINAL for status in OPEN)
    reached = {OrderStatus.INITIALIZED}.union(*STEPS.values())
    assert reached == set(OrderStatus)


def test_an_ended_order_never_opens_again() -> None:
    assert all(STEPS[status] <= FINAL for status in FINAL)


@pytest.mark.parametrize(
    ("current", "is_complete", "expected"),
    [
        ("accepted", False, "partially_filled"),
        ("accepted", True, "filled"),
        ("partially_filled", False, "partially_filled"),
        ("pending_cancel", False, "pending_cancel"),
        ("canceled", False, "canceled"),  # a late fill
        ("canceled", True, "filled"),
        ("replaced", False, "replaced"),
    ],
)
def test_a_fill_leads_on_without_undoing_a_cancel(
    current: str, is_complete: bool, expected: str
) -> None:
    assert after_fill(OrderStatus(current), is_complete=is_complete) == expected


@pytest.mark.parametrize("current", ["initialized", "denied", "rejected", "filled"])
def test_no_fill_can_reach_an_order_that_was_never_there_or_is_done(current: str) -> None:
    with pytest.raises(IllegalStep):
        after_fill(OrderStatus(current), is_complete=False)
