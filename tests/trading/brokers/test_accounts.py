"""Accounts by API: kinds, keys that are never read back, limits, and how one is closed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import sealing
from accounts.audit.models import AuditEvent
from accounts.suspension import actions as suspension
from tenants.context import Actor
from tests.cast import House, Person, job, now
from tests.market import list_instrument
from trading.brokers import credentials
from trading.brokers.credentials import Keys
from trading.brokers.errors import CredentialsMissing
from trading.models import Account, ExchangeCredential

pytestmark = pytest.mark.by_turns

CREDENTIALS = "trading.ExchangeCredential"
SECRET = "s3cret-that-nobody-reads-back"


def opened(person: Person, **extra: Any) -> dict[str, Any]:
    answer = person.post("accounts/", {"name": "first", "currency": "USD", **extra})
    assert answer.status_code == 201, answer.json()
    account: dict[str, Any] = answer.json()
    return account


def at_exchange(person: Person) -> str:
    return str(opened(person, kind="exchange", exchange="kraken")["id"])


def with_keys(person: Person) -> str:
    account = at_exchange(person)
    keys = {"api_key": "key-1", "api_secret": SECRET, "passphrase": "open"}
    assert person.request("PUT", f"accounts/{account}/credentials/", keys).status_code == 200
    return account


def test_an_exchange_is_named_and_only_for_its_kind(house: House) -> None:
    assert opened(house.alice, kind="exchange", exchange="kraken")["exchange"] == "kraken"
    for wrong in ({"kind": "exchange"}, {"kind": "paper", "exchange": "kraken"}):
        answer = house.bob.post("accounts/", {"name": "x", **wrong})
        assert answer.status_code == 400, answer.json()


@pytest.mark.parametrize("name", ["nowhere", "Kraken", "paymium", "binanceusdm", "__init__", ""])
def test_an_exchange_that_cannot_be_traded_at_is_refused(house: House, name: str) -> None:
    asked = {"name": "x", "kind": "exchange", "exchange": name}
    answer = house.alice.post("accounts/", asked)
    assert answer.status_code == 400, answer.json()
    assert "exchange" in str(answer.json())


def test_credentials_are_written_sealed_and_never_shown(house: House) -> None:
    account = with_keys(house.alice)
    shown = house.alice.get(f"accounts/{account}/credentials/").json()
    assert shown.keys() == {"is_set", "updated_at"}
    assert shown["is_set"] is True
    with house.alice.inside():
        row = ExchangeCredential.objects.get(account_id=account)
        assert SECRET.encode() not in bytes(row.sealed_secret)
        keys = credentials.of(Account.objects.get(pk=account))
        assert (keys.key, keys.secret, keys.passphrase) == ("key-1", SECRET, "open")
        assert SECRET not in repr(keys)
        trail = json.dumps(list(AuditEvent.objects.values("before", "after")), default=str)
        assert SECRET not in trail


def test_credentials_of_one_account_open_for_no_other(house: House) -> None:
    mine, other = with_keys(house.alice), str(opened(house.alice, name="second")["id"])
    with house.alice.inside():
        row = ExchangeCredential.objects.get(account_id=mine)
        stolen = ExchangeCredential(account_id=other, sealed_secret=row.sealed_secret)
        with pytest.raises(sealing.SealBroken):
            sealing.unseal(stolen.sealed_secret, purpose=stolen.purpose("secret"))


def test_without_credentials_there_are_none_to_fall_back_on(house: House) -> None:
    account = with_keys(house.alice)
    assert house.alice.request("DELETE", f"accounts/{account}/credentials/").status_code == 204
    assert house.alice.get(f"accounts/{account}/credentials/").json()["is_set"] is False
    with house.alice.inside(), pytest.raises(CredentialsMissing):
        credentials.of(Account.objects.get(pk=account))


def test_a_paper_account_takes_no_credentials_and_an_exchange_no_paper_money(house: House) -> None:
    paper, real = str(opened(house.alice)["id"]), with_keys(house.bob)
    keys = {"api_key": "k", "api_secret": "s"}
    refused = house.alice.request("PUT", f"accounts/{paper}/credentials/", keys)
    assert (refused.status_code, refused.json()["code"]) == (422, "exchange_only")
    money = {"currency": "USD", "amount": "5"}
    refused = house.bob.post(f"accounts/{real}/deposit/", money)
    assert (refused.status_code, refused.json()["code"]) == (422, "paper_only")


def test_nobody_else_sees_or_writes_credentials(house: House) -> None:
    account = with_keys(house.alice)
    keys = {"api_key": "k", "api_secret": "s"}
    for stranger in (house.bob, house.mallory):
        for method, body in (("GET", None), ("PUT", keys), ("DELETE", None)):
            answer = stranger.request(method, f"accounts/{account}/credentials/", body)
            assert answer.status_code == 404, (method, answer.json())
    with house.bob.inside():
        assert not ExchangeCredential.objects.exists()


def test_rotation_reaches_the_secrets_inside_tenants(
    house: House, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other tests' rows keep their keys.
    ours = {key: column for key, column in sealing._columns.items() if key[0] == CREDENTIALS}
    monkeypatch.setattr(sealing, "_columns", ours)
    monkeypatch.setattr(sealing.tenants, "ids", lambda: [house.tenant.id, house.mallory.tenant.id])
    settings.SEALING_KEYS = ["11" * 32]
    people = (house.alice, house.bob, house.mallory)
    accounts = [with_keys(person) for person in people]
    settings.SEALING_KEYS = ["22" * 32, "11" * 32]
    found = sealing.reseal_everything()
    assert {(f.seen, f.resealed) for f in found.values()} == {(3, 3)}
    assert len(found) == 3
    settings.SEALING_KEYS = ["22" * 32]
    for person, account in zip(people, accounts, strict=True):
        with person.inside():
            opened_again = credentials.of(Account.objects.get(pk=account))
        assert opened_again == Keys("key-1", SECRET, "open")


def test_limits_are_set_shown_and_lifted(house: House) -> None:
    account = opened(house.alice)["id"]
    path = f"accounts/{account}/limits/"
    assert house.alice.get(path).json()["max_daily_loss"] is None
    written = house.alice.request("PUT", path, {"max_daily_loss": "100", "max_drawdown": "250.5"})
    assert written.json()["max_drawdown"] == "250.5"
    assert house.alice.get(path).json()["max_daily_loss"] == "100"
    assert house.alice.request("PUT", path, {}).json()["max_daily_loss"] is None
    assert house.alice.request("PUT", path, {"max_drawdown": "0"}).status_code == 400


def test_auto_buy_settings_are_kept_and_checked(house: House) -> None:
    path = f"accounts/{opened(house.alice)['id']}/auto-buy/"
    assert house.alice.get(path).status_code == 204
    asked = {"is_enabled": True, "notional": "50", "instruments": ["BTC/USD"]}
    written = house.alice.request("PUT", path, {**asked, "stop_loss_percent": "5"})
    assert (written.status_code, written.json()["notional"]) == (200, "50")
    assert house.alice.get(path).json()["stop_loss_percent"] == "5"
    for wrong in ({"notional": "0"}, {"stop_loss_percent": "100"}, {"max_open_positions": 0}):
        assert house.alice.request("PUT", path, {**asked, **wrong}).status_code == 400


def test_costs_are_chosen_within_reason(house: House) -> None:
    account = opened(house.alice, taker_bps="25", slippage_bps=0)
    assert (account["taker_bps"], account["slippage_bps"]) == ("25", "0")
    changed = house.alice.request("PATCH", f"accounts/{account['id']}/", {"maker_bps": "7.5"})
    assert changed.json()["maker_bps"] == "7.5"
    for wrong in ("-1", "1000.1", "NaN"):
        answer = house.alice.request("PATCH", f"accounts/{account['id']}/", {"maker_bps": wrong})
        assert answer.status_code == 400


def test_a_closed_account_frees_its_name_and_hands_on_the_default(house: House) -> None:
    first, second = opened(house.alice)["id"], opened(house.alice, name="second")["id"]
    assert house.alice.request("DELETE", f"accounts/{first}/").status_code == 204
    closed = house.alice.get(f"accounts/{first}/").json()
    assert (closed["status"], closed["is_default"]) == ("closed", False)
    assert house.alice.get(f"accounts/{second}/").json()["is_default"] is True
    assert opened(house.alice)["id"] != first
    money = {"currency": "USD", "amount": "5"}
    refused = house.alice.post(f"accounts/{first}/deposit/", money)
    assert (refused.status_code, refused.json()["code"]) == (409, "account_closed")
    assert house.alice.request("DELETE", f"accounts/{first}/").status_code == 409


def test_an_account_at_work_is_not_closed(house: House) -> None:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    account = opened(house.alice)["id"]
    house.alice.post(f"accounts/{account}/deposit/", {"currency": "USD", "amount": "1000"})
    buy = {"account": account, "instrument": market.symbol, "side": "buy", "type": "market"}
    house.alice.post("orders/", {**buy, "quantity": "1"})
    refused = house.alice.request("DELETE", f"accounts/{account}/")
    assert (refused.status_code, refused.json()["code"]) == (409, "account_in_use")
    market.feed_bar(open="100", high="101", low="99", close="100")
    refused = house.alice.request("DELETE", f"accounts/{account}/")
    assert "positions" in refused.json()["detail"]


def test_the_database_keeps_a_closed_account_from_being_the_default(house: House) -> None:
    account = opened(house.alice)["id"]
    with house.alice.inside(), pytest.raises(Exception, match="account_closed_is_not_default"):
        Account.objects.filter(pk=account).update(status="closed")
    with job(house.tenant), connection.cursor() as cursor:
        cursor.execute("SELECT status FROM trading_account WHERE id = %s", [account])
        assert cursor.fetchone() == ("active",)


def test_what_was_lost_is_measured_apart_from_what_was_taken_out(house: House) -> None:
    account = opened(house.alice)["id"]
    house.alice.request("PUT", f"accounts/{account}/limits/", {"max_drawdown": "10"})
    with house.alice.inside():
        row = Account.objects.get(pk=account).limits.get()
        row.day_start = row.peak = Decimal(500)
        row.save(update_fields=["day_start", "peak"])
    house.alice.post(f"accounts/{account}/deposit/", {"currency": "USD", "amount": "100"})
    shown = house.alice.get(f"accounts/{account}/limits/").json()
    assert (shown["day_start"], shown["peak"]) == ("600", "600")


def test_rotation_says_which_tenants_it_could_not_reach(
    house: House, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_keys(house.alice)
    suspension.suspend_tenant(
        tenant=house.tenant, reason="unpaid", by=Actor.system("test"), now=now()
    )
    monkeypatch.setattr(sealing.tenants, "ids", lambda: [house.tenant.id])
    ours = {key: column for key, column in sealing._columns.items() if key[0] == CREDENTIALS}
    monkeypatch.setattr(sealing, "_columns", ours)
    assert {f.unreached for f in sealing.reseal_everything().values()} == {1}
    with pytest.raises(CommandError, match="1 tenants may not be entered"):
        call_command("rotate_sealed_secrets")
