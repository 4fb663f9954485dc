"""An archive that lacks what the tables have: by right where it is new since, and else refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from backups import restoring, snapshot, verifying
from backups.errors import OtherShape, PartsMissing
from backups.models import Backup
from tests.backups.keepers import entry_of, restore, rows, take
from tests.cast import House, now
from tests.market import Market
from tests.tenants.moving.movers import trade

Since = tuple[tuple[str, str], ...]
AUDIT = ("audit", "0003_rows_on_the_move")
NOW: Since | None = None  # as it is


def before(migration: str) -> Since:
    return (AUDIT, ("trading", migration))


@contextmanager
def lacking(*parts: str, migrations: Since | None) -> Iterator[None]:
    """Archives are taken without those tables, or columns, and say that they are of then."""
    heads, taken = snapshot.heads, snapshot._taken

    def fewer(*given: Any) -> Any:
        return tuple(
            replace(
                head,
                columns=tuple(c for c in head.columns if f"{head.name}.{c.name}" not in parts),
            )
            for head in heads(*given)
            if head.name not in parts
        )

    def of_then(*given: Any) -> Any:
        seen = taken(*given)
        if migrations is None:
            return seen
        return replace(seen, origin=replace(seen.origin, migrations=migrations))

    with (
        mock.patch.object(snapshot, "heads", fewer),
        mock.patch.object(snapshot, "_taken", of_then),
    ):
        yield


def taken(house: House, market: Market, *parts: str, migrations: Since | None) -> Backup:
    trade(house.alice, market)
    with lacking(*parts, migrations=migrations):
        return take(house.tenant)


EVENTS = ("trading_notification", "trading_notificationcursor")


def test_rows_of_a_table_that_is_new_since_go_and_are_told(house: House, market: Market) -> None:
    backup = taken(house, market, *EVENTS, migrations=before("0004_order_types"))
    was = rows(house.tenant)
    assert was["trading_notification"] != []
    trade(house.bob, market)
    said: list[str] = []
    differences = restoring.compare(entry=entry_of(backup), report=said.append)
    extra = {each.table: each.extra for each in differences}
    assert {name: extra[name] for name in EVENTS} == {
        name: len(found) for name, found in rows(house.tenant).items() if name in EVENTS
    }
    assert [line.split()[0] for line in said if "new since" in line] == list(EVENTS)
    restore(backup)
    assert rows(house.tenant) == {**was, EVENTS[0]: [], EVENTS[1]: []}


@pytest.mark.parametrize(
    "part", ["trading_positionlot", "trading_balance", "trading_notification", "audit_auditlink"]
)
def test_a_table_that_was_there_is_not_left_out(house: House, market: Market, part: str) -> None:
    backup = taken(house, market, part, migrations=NOW)
    since = rows(house.tenant, without=frozenset())
    for act in (restore, lambda of: restoring.compare(entry=entry_of(of), report=print)):
        with pytest.raises(PartsMissing, match=f"lacks {part}, ") as refused:
            act(backup)
        assert refused.value.code == "parts_missing"
    assert rows(house.tenant, without=frozenset()) == since
    assert verifying.verify(backup_id=backup.pk, now=now()).verified_fault == "parts_missing"


def test_all_that_is_left_out_is_named(house: House, market: Market) -> None:
    parts = ("trading_account.returned_at", *EVENTS)
    since = before("0016_keys_with_owners_are_no_way_to_a_list")
    backup = taken(house, market, *parts, migrations=since)
    with pytest.raises(PartsMissing, match=f"lacks {', '.join(EVENTS)}, "):
        restore(backup)


def test_a_column_that_is_new_since_has_its_default_or_nothing(
    house: House, market: Market
) -> None:
    parts = ("trading_fill.base_fee", "trading_account.returned_at")
    backup = taken(house, market, *parts, migrations=before("0012_comparisons_go_on"))
    was = rows(house.tenant)
    trade(house.bob, market)
    restore(backup)
    assert rows(house.tenant) == was
    assert {row["base_fee"] for (row,) in was["trading_fill"]} == {0}
    assert {row["returned_at"] for (row,) in was["trading_account"]} == {None}


def test_the_default_may_be_the_fields_own(house: House, market: Market) -> None:
    """Which the database does not know: a migration gives it to the rows that are there."""
    parts = ("trading_account.maker_bps", "trading_order.post_only", "trading_order.top_ups")
    backup, was = taken(house, market, *parts, migrations=(AUDIT,)), rows(house.tenant)
    trade(house.bob, market)
    restore(backup)
    assert rows(house.tenant) == was
    assert {row["maker_bps"] for (row,) in was["trading_account"]} == {10}
    assert [row["top_ups"] for (row,) in was["trading_order"]] == [[]] * 4
    assert {row["post_only"] for (row,) in was["trading_order"]} == {False}


def test_a_column_that_was_there_is_not_made_up(house: House, market: Market) -> None:
    backup = taken(house, market, "trading_fill.base_fee", migrations=before("0013_base_fees"))
    with pytest.raises(PartsMissing, match=r"lacks trading_fill\.base_fee, "):
        restore(backup)


def test_a_new_column_without_a_default_is_named(house: House, market: Market) -> None:
    backup = taken(house, market, "trading_order.quantity", migrations=(AUDIT,))
    since = rows(house.tenant)
    with pytest.raises(OtherShape, match=r"trading_order\.quantity may not be empty"):
        restore(backup)
    assert rows(house.tenant) == since


@pytest.mark.parametrize(
    ("migrations", "said"),
    [(before("9999_to_come"), r"after trading\.9999_to_come"), ((), "does not say")],
)
def test_what_is_lacking_of_a_state_that_nobody_knows_is_refused(
    house: House, market: Market, migrations: Since, said: str
) -> None:
    backup = taken(house, market, *EVENTS, migrations=migrations)
    with pytest.raises(OtherShape, match=said):
        restore(backup)
