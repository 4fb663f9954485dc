"""What an account may lose: looked at wherever prices move it, and in all that it has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.cast import House, Person, job, now
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import balance, open_account
from tests.scenarios.test_order_types import holding, place, quiet, seen
from trading.brokers.models import Account
from trading.portfolio import actions as portfolio
from trading.portfolio import queries

pytestmark = pytest.mark.by_turns


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def limit(person: Person, account: str, **limits: str) -> None:
    assert person.request("PUT", f"accounts/{account}/limits/", limits).status_code == 200


def look(house: House, account: str, days: int = 0) -> tuple[str, str]:
    """The timer's turn, some days from now; gives how the account stands."""
    with job(house.tenant):
        portfolio.sample(account_id=UUID(account), now=now() + timedelta(days=days))
        row = Account.objects.get(pk=account)
        return row.status, row.status_reason


def buy(person: Person, account: str, market: Market, side: str = "buy") -> Any:
    body = {"account": account, "instrument": market.symbol, "side": side, "type": "market"}
    return person.post("orders/", {**body, "quantity": "1"})


def events(person: Person) -> list[tuple[str, str]]:
    rows = person.get("notifications/").json()["results"]
    told = [(row["kind"], row["data"].get("reason", "")) for row in rows]
    return [(kind, reason) for kind, reason in told if kind.startswith("account.")]


def deposit(person: Person, account: str, currency: str, amount: str) -> None:
    money = {"currency": currency, "amount": amount}
    assert person.post(f"accounts/{account}/deposit/", money).status_code == 201


def test_a_fall_of_the_price_alone_halts_and_takes_all_out_of_the_market(
    house: House, market: Market
) -> None:
    alice = house.alice
    account = open_account(alice, amount="1000")
    limit(alice, account, max_drawdown="50")
    holding(alice, account, market, quantity="5")
    resting = place(
        alice, account, market, side="buy", type="limit", quantity="1", limit_price="50"
    )
    assert look(house, account) == ("active", "")
    quiet(market, "80")
    assert look(house, account) == ("halted", "drawdown_limit")
    done = seen(alice, resting)
    assert (done["status"], done["status_reason"]) == ("canceled", "drawdown_limit")
    assert balance(alice, account)["locked"] == "0"
    refused = buy(alice, account, market)
    assert (refused.status_code, refused.json()["code"]) == (409, "account_halted")
    assert "drawdown_limit" in refused.json()["detail"]
    assert events(alice) == [("account.halted", "drawdown_limit")]
    assert events(house.bob) == []
    look(house, account)
    assert len(events(alice)) == 1, "what is halted is not halted again"


def test_before_the_timer_comes_no_order_is_taken(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice, amount="1000")
    limit(alice, account, max_daily_loss="50")
    holding(alice, account, market, quantity="5")
    quiet(market, "80")
    refused = buy(alice, account, market)
    assert (refused.status_code, refused.json()["code"]) == (409, "daily_loss_limit")


def test_a_day_begins_where_the_day_before_ended(house: House, market: Market) -> None:
    """What a price did before the day's first look is a loss of the day all the same."""
    alice = house.alice
    account = open_account(alice, amount="1000")
    limit(alice, account, max_daily_loss="50")
    holding(alice, account, market, quantity="5")
    assert look(house, account) == ("active", "")
    quiet(market, "80")
    assert look(house, account, days=1) == ("halted", "daily_loss_limit")


def test_the_losses_of_a_day_are_over_with_it(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice, amount="1000")
    limit(alice, account, max_daily_loss="50")
    holding(alice, account, market, quantity="5")
    quiet(market, "80")
    assert look(house, account) == ("halted", "daily_loss_limit")
    assert look(house, account) == ("halted", "daily_loss_limit")
    assert look(house, account, days=1) == ("active", "")
    assert events(alice) == [("account.resumed", "new_day"), ("account.halted", "daily_loss_limit")]
    quiet(market, "60")
    assert look(house, account, days=1) == ("halted", "daily_loss_limit")


def test_a_drawdown_is_lifted_by_whoever_sets_the_limits_anew(house: House, market: Market) -> None:
    alice = house.alice
    account = open_account(alice, amount="1000")
    limit(alice, account, max_drawdown="50")
    holding(alice, account, market, quantity="5")
    quiet(market, "80")
    look(house, account)
    assert look(house, account, days=2) == ("halted", "drawdown_limit")
    limit(alice, account, max_drawdown="60")
    assert buy(alice, account, market).status_code == 201
    assert events(alice)[0] == ("account.resumed", "limits_set")


@pytest.mark.parametrize(
    ("is_inverse", "first", "enough", "too_little"),
    [(False, "2", "1.6", "1.5"), (True, "0.5", "0.65", "0.7")],
)
def test_money_in_another_currency_is_valued(
    house: House, is_inverse: bool, first: str, enough: str, too_little: str
) -> None:
    """By the instrument that is priced in the account's currency, or the other way round."""
    alice = house.alice
    account = open_account(alice, amount="1000")
    other = f"E{uuid4().hex[:6].upper()}"
    market = _between(other, is_inverse=is_inverse)
    quiet(market, first)
    limit(alice, account, max_drawdown="50")
    look(house, account)
    deposit(alice, account, other, "100")
    assert look(house, account) == ("active", ""), "what is put in is no gain"
    with job(house.tenant):
        assert UUID(account) in queries.accounts_to_sample()
    quiet(market, enough)
    assert look(house, account) == ("active", "")
    quiet(market, too_little)
    assert look(house, account) == ("halted", "drawdown_limit")


def test_a_loss_in_another_quote_currency_counts(house: House) -> None:
    alice = house.alice
    account = open_account(alice, amount="1000")
    other = f"E{uuid4().hex[:6].upper()}"
    rate, market = _between(other), list_instrument(quote=other)
    quiet(rate, "2")
    market.print_bar(open="100", high="101", low="99", close="100")
    deposit(alice, account, other, "1000")
    limit(alice, account, max_daily_loss="100")
    holding(alice, account, market, quantity="5")
    quiet(market, "91")
    assert look(house, account) == ("active", ""), "45 and some fees of it, at 2 each"
    quiet(market, "88")
    assert look(house, account) == ("halted", "daily_loss_limit")


def test_what_has_no_price_is_not_nothing(house: House, market: Market) -> None:
    """Nobody is halted for it, and nothing is bought until it has one; selling goes on."""
    alice = house.alice
    account = open_account(alice, amount="1000")
    limit(alice, account, max_drawdown="50")
    holding(alice, account, market, quantity="5")
    other = f"E{uuid4().hex[:6].upper()}"
    deposit(alice, account, other, "1")
    quiet(market, "80")
    assert look(house, account) == ("active", "")
    refused = buy(alice, account, market)
    assert (refused.status_code, refused.json()["code"]) == (409, "equity_unknown")
    assert other in refused.json()["detail"]
    assert buy(alice, account, market, side="sell").status_code == 201
    quiet(_between(other), "1")
    assert look(house, account) == ("halted", "drawdown_limit")


def _between(other: str, *, is_inverse: bool = False) -> Market:
    """The instrument by which `other` is priced in USD, or USD in it."""
    if is_inverse:
        return list_instrument(base="USD", quote=other)
    return list_instrument(base=other)
