"""Lists: pages, orderings, and a number of statements that does not grow with the rows."""

from __future__ import annotations

from functools import partial

import pytest

from tests import counting
from tests.cast import House
from tests.isolation.world import Trader, World, build_world


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


@pytest.mark.parametrize(
    ("path", "statements"),
    [
        ("accounts/", 1),
        ("orders/", 1),
        ("fills/", 1),
        ("positions/", 2),  # and the newest prices
        ("portfolio/", 5),
        ("instruments/", 1),
    ],
)
def test_a_list_takes_a_fixed_number_of_statements(
    world: World, path: str, statements: int
) -> None:
    for trader in (world.traders[0], world.traders[3]):
        sent = counting.statements(partial(_ask, trader, path))
        # BEGIN, which brings the tenant along, and COMMIT.
        assert len(sent) == statements + 2, sent


def _ask(trader: Trader, path: str) -> None:
    assert trader.person.get(path).status_code == 200


def test_pages_follow_one_another_without_gap_or_overlap(house: House) -> None:
    for number in range(7):
        house.alice.post("accounts/", {"name": f"n{number}"})
    seen, path = [], "accounts/?page_size=3&ordering=name"
    while path:
        page = house.alice.get(path).json()
        seen += [row["name"] for row in page["results"]]
        path = (page["next"] or "").partition("/api/v1/")[2]
    assert seen == [f"n{number}" for number in range(7)]


def test_balances_come_in_pages_by_currency(house: House) -> None:
    account = house.alice.post("accounts/", {"name": "many"}).json()["id"]
    for currency in ("USD", "EUR", "BTC"):
        asked = {"currency": currency, "amount": "1"}
        assert house.alice.post(f"accounts/{account}/deposit/", asked).status_code == 201
    path = f"accounts/{account}/balances/"
    first = house.alice.get(f"{path}?page_size=2").json()
    assert [row["currency"] for row in first["results"]] == ["BTC", "EUR"]
    rest = house.alice.get(first["next"].partition("/api/v1/")[2]).json()
    assert ([row["currency"] for row in rest["results"]], rest["next"]) == (["USD"], None)
    assert house.alice.get(f"{path}?currency=USD").status_code == 400


def test_an_orders_fills_come_in_pages_oldest_first(world: World) -> None:
    trader = world.traders[0]
    order = trader.person.get(f"fills/{trader.ids['Fill']}/").json()["order"]
    path = f"orders/{order}/fills/"
    page = trader.person.get(f"{path}?page_size=1").json()
    assert set(page) == {"next", "previous", "results"}
    assert [row["order"] for row in page["results"]] == [order]
    assert trader.person.get(f"{path}?side=buy").status_code == 400


@pytest.mark.parametrize("ordering", ["user_id", "tenant_id", "-currency", "name,x", "name__x"])
def test_only_the_orderings_of_the_list_are_taken(house: House, ordering: str) -> None:
    answer = house.alice.get(f"accounts/?ordering={ordering}")
    assert answer.status_code == 400
    assert "created_at, name" in answer.json()["detail"]


@pytest.mark.parametrize("size", ["abc", "-1", "0", "00", "", "1.5", "１"])
def test_a_page_of_no_size_is_refused(house: House, size: str) -> None:
    answer = house.alice.get(f"accounts/?page_size={size}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert "from 1 to 200" in answer.json()["detail"]


@pytest.mark.parametrize("size", ["9999", "9" * 5000])
def test_a_page_holds_no_more_than_a_page(house: House, size: str) -> None:
    assert house.alice.get(f"accounts/?page_size={size}").status_code == 200


@pytest.mark.parametrize("cursor", ["AAAA", "%00", "", "eD0x"])
def test_a_cursor_of_which_nothing_is_understood_is_no_first_page(
    house: House, cursor: str
) -> None:
    """A client that follows it would begin again and again."""
    answer = house.alice.get(f"accounts/?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_change_of_what_has_been_read_needs_the_newest_version(house: House) -> None:
    account = house.alice.post("accounts/", {"name": "a"}).json()["id"]
    etag = house.alice.get(f"accounts/{account}/")["ETag"]
    path = f"accounts/{account}/"
    assert house.alice.request("PATCH", path, {"name": "b"}, If_Match=etag).status_code == 200
    stale = house.alice.request("PATCH", path, {"name": "c"}, If_Match=etag)
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    assert house.alice.get(path).json()["name"] == "b"
