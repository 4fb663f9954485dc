"""What is done right before a tenant's transaction commits: once, inside it, or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from tenants import context
from tenants.context import TenantContext
from tenants.errors import NoTenantContext
from tests.cast import Person, build_house, now
from trading.brokers import accounts
from trading.brokers.accounts import Opening
from trading.models import Account


@pytest.fixture(scope="module")
def alice() -> Person:
    return build_house("starter").alice


class Notes:
    """Hears what it is handed, and whether the transaction was still open."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def __call__(self, items: list[Any]) -> None:
        assert connection.in_atomic_block
        assert context.current() is not None
        self.heard.append(tuple(items))


@pytest.fixture
def notes() -> Notes:
    return Notes()


class Halfway(Exception):
    pass


def open_account(alice: Person, name: str) -> None:
    opening = Opening(name=name, currency="USD", cost_method="average")
    accounts.open_account(user_id=alice.user_id, opening=opening, now=now())


def has_account(alice: Person, name: str) -> bool:
    with alice.inside():
        return Account.objects.filter(name=name).exists()


def test_items_come_together_in_order_and_before_what_waits_for_the_commit(
    alice: Person, notes: Notes
) -> None:
    after: list[int] = []
    with alice.inside():
        transaction.on_commit(lambda: after.append(len(notes.heard)))
        for item in "abc":
            context.before_commit(notes, item)
        assert notes.heard == []
    assert notes.heard == [("a", "b", "c")]
    assert after == [1]


def test_each_act_gets_its_own_items(alice: Person, notes: Notes) -> None:
    other = Notes()
    with alice.inside():
        context.before_commit(notes, 1)
        context.before_commit(other, 2)
        context.before_commit(notes, 3)
    assert (notes.heard, other.heard) == ([(1, 3)], [(2,)])


def test_only_the_outermost_entry_calls(alice: Person, notes: Notes) -> None:
    with alice.inside():
        with alice.inside():
            context.before_commit(notes, "inner")
        assert notes.heard == []
        context.before_commit(notes, "outer")
    assert notes.heard == [("inner", "outer")]


def test_a_savepoint_that_is_rolled_back_takes_its_items_along(alice: Person, notes: Notes) -> None:
    with alice.inside():
        context.before_commit(notes, "before")
        with contextlib.suppress(Halfway), transaction.atomic():
            context.before_commit(notes, "lost")
            with transaction.atomic():
                context.before_commit(notes, "lost with it")
            raise Halfway
        with transaction.atomic():
            context.before_commit(notes, "kept")
            with contextlib.suppress(Halfway), transaction.atomic():
                context.before_commit(notes, "lost too")
                raise Halfway
    assert notes.heard == [("before", "kept")]


def test_nothing_is_called_when_the_body_raises(alice: Person, notes: Notes) -> None:
    with contextlib.suppress(Halfway), alice.inside():
        context.before_commit(notes, "lost")
        raise Halfway
    with alice.inside():
        pass
    assert notes.heard == []


def test_nothing_is_called_in_what_is_marked_for_rollback(alice: Person, notes: Notes) -> None:
    with alice.inside():
        context.before_commit(notes, "lost")
        transaction.set_rollback(True)
    assert notes.heard == []


def test_what_an_act_asks_for_is_done_too(alice: Person, notes: Notes) -> None:
    def first(items: list[int]) -> None:
        for item in items:
            context.before_commit(notes, item + 1)
            if item < 3:
                context.before_commit(first, item + 1)

    with alice.inside():
        context.before_commit(first, 1)
    assert notes.heard == [(2,), (3,), (4,)]


def test_an_act_that_raises_rolls_back_all_of_it(alice: Person) -> None:
    def refuse(_: list[str]) -> None:
        raise Halfway

    with pytest.raises(Halfway), alice.inside():
        open_account(alice, "refused")
        context.before_commit(refuse, "")
    assert not has_account(alice, "refused")


def test_an_act_writes_in_the_same_transaction(alice: Person) -> None:
    def write(names: list[str]) -> None:
        for name in names:
            open_account(alice, name)

    with alice.inside():
        context.before_commit(write, "late")
    assert has_account(alice, "late")


def _outside(_: TenantContext) -> None:
    context.before_commit(print, "nobody")


def _carried(where: TenantContext) -> None:
    with context.carried(where):
        context.before_commit(print, "nobody")


def _in_a_transaction_of_its_own(where: TenantContext) -> None:
    with context.carried(where), transaction.atomic():
        context.before_commit(print, "nobody")


def _joined(where: TenantContext) -> None:
    with context.carried(where), transaction.atomic(), context.enter(where):
        context.before_commit(print, "nobody")


def _too_late(where: TenantContext) -> None:
    with context.enter(where):
        transaction.on_commit(lambda: context.before_commit(print, "nobody"))


@pytest.mark.parametrize(
    "ask", [_outside, _carried, _in_a_transaction_of_its_own, _joined, _too_late]
)
def test_what_nobody_would_call_is_refused(
    alice: Person, ask: Callable[[TenantContext], None]
) -> None:
    with alice.inside() as where:
        pass
    with pytest.raises(NoTenantContext):
        ask(where)
