"""The operators' commands, as an operator calls them."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command, get_commands
from django.test import override_settings

from tenants import queries
from tests.cast import House
from tests.market import list_instrument

HEADER = "start,open,high,low,close,volume\n"


def run(*arguments: Any, **options: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize("tier", ["starter", "pro", "enterprise"])
def test_create_tenant_makes_one_that_is_ready(tier: str) -> None:
    slug = f"c{uuid4().hex[:10]}"
    arguments = ["create_tenant", slug, "--tier", tier, "--owner", f"o@{slug}.example", "--json"]
    made = json.loads(run(*arguments))
    tenant = queries.by_slug(slug)
    assert tenant is not None
    assert (tenant.status, tenant.tier, tenant.live_schema) == ("active", tier, made["schema"])
    assert (made["schema"] == "public") is (tier != "enterprise")
    with pytest.raises(CommandError, match="slug_taken"):
        run(*arguments)


@pytest.mark.parametrize("slug", ["Upper", "a_b", "-a", "a" * 64, "", "a/b", "público"])
def test_create_tenant_refuses_a_slug_that_is_no_host(slug: str) -> None:
    with pytest.raises(CommandError):
        run("create_tenant", slug, "--tier", "starter", "--owner", "o@x.example")
    assert queries.by_slug(slug) is None


def test_create_tenant_refuses_a_region_that_nobody_has() -> None:
    slug = f"c{uuid4().hex[:10]}"
    arguments = ["create_tenant", slug, "--tier", "starter", "--owner", f"o@{slug}.example"]
    with pytest.raises(CommandError, match=r"unknown_region: Regions: default\."):
        run(*arguments, "--region", "eu")
    assert queries.by_slug(slug) is None
    with override_settings(REGIONS={"default": "default", "eu": "default"}):
        run(*arguments, "--region", "eu")
    tenant = queries.by_slug(slug)
    assert tenant is not None
    assert tenant.region == "eu"


def test_list_tenants_says_where_each_lives(house: House) -> None:
    listed = json.loads(run("list_tenants", "--json"))["tenants"]
    mine = next(t for t in listed if t["slug"] == house.tenant.slug)
    assert mine["schema"] == house.tenant.live_schema
    assert house.tenant.slug in run("list_tenants")


def test_candles_loaded_twice_change_nothing(tmp_path: Path) -> None:
    market = list_instrument()
    file = tmp_path / "bars.csv"
    file.write_text(HEADER + "2024-01-01T00:00:00Z,1,2,0.5,1.5,10\n")
    arguments = ["load_candles", str(file), "--symbol", market.symbol, "--timeframe", "1h"]
    assert "1 candles" in run(*arguments)
    assert "0 candles" in run(*arguments)


def test_fed_candles_fill_orders_before_the_command_returns(house: House, tmp_path: Path) -> None:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    alice = house.alice
    account = alice.post("accounts/", {"name": "a"}).json()["id"]
    alice.post(f"accounts/{account}/deposit/", {"currency": "USD", "amount": "1000"})
    body = {"account": account, "instrument": market.symbol, "side": "buy", "type": "market"}
    order = alice.post("orders/", {**body, "quantity": "1"}).json()["id"]
    file = tmp_path / "bars.csv"
    file.write_text(HEADER + "2024-02-01T00:00:00Z,100,101,99,100,0\n")
    arguments = ["feed_candles", str(file), "--symbol", market.symbol, "--timeframe", "1h"]
    assert json.loads(run(*arguments, "--json"))["fills"] == 1
    assert alice.get(f"orders/{order}/").json()["status"] == "filled"
    assert json.loads(run(*arguments, "--json"))["fills"] == 0


@pytest.mark.parametrize(
    ("text", "timeframe", "says"),
    [
        (HEADER + "2024-01-01T00:00:00Z,1,0.5,2,1,1\n", "1h", "row"),
        (HEADER + "yesterday,1,2,0.5,1,1\n", "1h", "row"),
        ("a,b\n", "1h", "start,open"),
        (HEADER, "7x", "7x"),
    ],
)
def test_a_bad_file_is_a_sentence_and_stores_nothing(
    tmp_path: Path, text: str, timeframe: str, says: str
) -> None:
    market = list_instrument()
    file = tmp_path / "bars.csv"
    file.write_text(text)
    with pytest.raises(CommandError, match=says):
        run("load_candles", str(file), "--symbol", market.symbol, "--timeframe", timeframe)


def test_a_missing_file_or_symbol_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="unknown_instrument"):
        run("load_candles", "x.csv", "--symbol", "NOPE", "--timeframe", "1h")
    symbol = list_instrument().symbol
    with pytest.raises(CommandError, match="No such file"):
        run("load_candles", str(tmp_path / "x"), "--symbol", symbol, "--timeframe", "1h")


def test_the_demo_is_refused_without_debug() -> None:
    with override_settings(DEBUG=False), pytest.raises(CommandError, match="DEBUG"):
        run("seed_demo")


def test_the_demo_can_be_seeded_twice(tmp_path: Path) -> None:
    with override_settings(DEBUG=True, BULKHEAD_DATA_DIR=tmp_path):
        first = json.loads(run("seed_demo", "--json"))
        second = json.loads(run("seed_demo", "--json"))
    assert first == second == json.loads((tmp_path / "demo.json").read_text())
    assert {t["slug"]: t["tier"] for t in first["tenants"]} == {
        "acme": "starter",
        "birch": "pro",
        "globex": "enterprise",
    }


@pytest.mark.parametrize("name", ["migrate", "migrate_schemas", "create_tenant"])
def test_our_commands_stand_before_those_of_django_tenants(name: str) -> None:
    assert get_commands()[name] in ("tenants", "accounts")
