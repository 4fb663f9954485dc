"""How often a secret may be guessed, by whom, and what that does to its owner."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from accounts.access.errors import NoTenant, WrongLogin
from accounts.sessions import attempts, guessing
from accounts.sessions.attempts import Rule, TooManyAttempts
from tenants import origin
from tests.cast import anywhere


@pytest.fixture
def alice() -> str:
    return f"alice{uuid4().hex}@x.example"


def guess(account: str, at: str) -> bool:
    """A wrong one; whether it was looked at."""
    counted = guessing.counted(account=account, address=at, wrong=(WrongLogin,))
    try:
        with pytest.raises(WrongLogin), counted:
            raise WrongLogin
    except TooManyAttempts:
        return False
    return True


def show(account: str, at: str, *, forgives: bool = True) -> None:
    """The right one. Raises TooManyAttempts."""
    with guessing.counted(account=account, address=at, wrong=(WrongLogin,), forgives=forgives):
        pass


def wait_of(account: str, at: str) -> int:
    """Seconds that the owner is told to wait; 0 for who is let in."""
    try:
        show(account, at)
    except TooManyAttempts as fault:
        return int(fault.headers["Retry-After"])
    return 0


def flood(account: str, networks: int = 12) -> int:
    """How many of three guesses from each of so many networks were looked at."""
    return sum(guess(account, at) for at in [anywhere() for _ in range(networks)] for _ in "123")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
    ],
)
def test_whom_an_address_is_counted_as(address: str, network: str) -> None:
    assert origin.network(address) == network


def test_of_64_wrong_ones_at_once_the_free_ones_are_looked_at(alice: str) -> None:
    attacker = anywhere()
    with ThreadPoolExecutor(64) as pool:
        looked_at = list(pool.map(lambda _: guess(alice, attacker), range(64)))
    assert looked_at.count(True) == 5


def test_at_once_from_everywhere_they_are_no_more_than_the_accounts(alice: str) -> None:
    with ThreadPoolExecutor(64) as pool:
        looked_at = list(pool.map(lambda _: guess(alice, anywhere()), range(64)))
    assert looked_at.count(True) == 10


def test_a_right_one_is_not_counted_and_forgives_only_when_it_may(alice: str) -> None:
    at = anywhere()
    for _ in range(4):
        assert guess(alice, at)
    for _ in range(20):
        show(alice, at, forgives=False)
    assert guess(alice, at)
    assert not guess(alice, at)
    time.sleep(1.1)
    show(alice, at)
    assert [guess(alice, at) for _ in range(6)] == [True] * 5 + [False]


def test_what_is_refused_for_something_else_is_no_guess(alice: str) -> None:
    at = anywhere()
    for _ in range(20):
        with (
            pytest.raises(NoTenant),
            guessing.counted(account=alice, address=at, wrong=(WrongLogin,)),
        ):
            raise NoTenant


def test_a_reservation_of_a_window_that_is_over_gives_nothing_to_the_next(
    alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = anywhere()
    monkeypatch.setattr(attempts, "_PAIR", Rule(5, 1, 900, 1))
    old = [attempts.reserve(account=alice, address=at) for _ in range(4)]
    time.sleep(1.1)
    monkeypatch.undo()
    assert guess(alice, at)
    for reservation in old:
        attempts.give_back(reservation)
    assert [guess(alice, at) for _ in range(5)] == [True] * 4 + [False]


def test_from_a_new_network_alice_waits_a_minute_at_most(alice: str) -> None:
    assert flood(alice) == 10
    assert 1 <= wait_of(alice, anywhere()) <= 60


def test_those_who_ask_on_do_not_prolong_her_wait(
    alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The minute of the account cut to two seconds."""
    monkeypatch.setattr(attempts, "_ACCOUNT", Rule(10, 2, 2, 2))
    assert flood(alice) == 10
    hotel = anywhere()
    until = time.monotonic() + wait_of(alice, hotel)
    while time.monotonic() < until - 0.5:
        assert flood(alice, 1) == 0
    time.sleep(max(0.0, until - time.monotonic()))
    assert wait_of(alice, hotel) == 0


def test_from_a_network_she_came_from_lately_nothing_touches_her(alice: str) -> None:
    home = anywhere()
    show(alice, home)
    flood(alice)
    for _ in range(55):
        guess(f"{uuid4().hex}@x.example", home)
    assert not guess(f"{uuid4().hex}@x.example", home)
    assert wait_of(alice, anywhere()) > 0
    assert wait_of(alice, home) == 0


@pytest.mark.parametrize(("is_known", "longest"), [(True, 60), (False, 900)])
def test_the_longest_wait_is_shorter_where_she_is_known(
    alice: str, monkeypatch: pytest.MonkeyPatch, *, is_known: bool, longest: int
) -> None:
    """With a first wait so long that the second try would double past the longest."""
    at = anywhere()
    if is_known:
        show(alice, at)
    for name in ("_KNOWN_PAIR", "_PAIR"):
        rule: Rule = getattr(attempts, name)
        monkeypatch.setattr(attempts, name, rule._replace(first=2_000))
    while guess(alice, at):
        pass
    assert longest - 5 <= wait_of(alice, at) <= longest
