"""What tenants have is counted inside each, and a full one makes nothing new."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import kombu.exceptions
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError, connection

from config.observing import exposition, work
from config.observing.work import Work
from tenants import usage
from tenants.measuring import actions, queries, tasks
from tenants.models import Tenant, TenantUsage
from tenants.ownership import tenant_tables
from tests.accounts.test_staff import logged_in, staff
from tests.cast import House, build_tenant, job, now
from tests.config.observing.scraped import read, value
from tests.isolation.database import connected
from tests.market import list_instrument
from tests.scenarios.test_first_trade import open_account, order
from tests.tenants.moving.movers import trade
from tests.tenants.plans import change, put_on_own_plan

HOUR = timedelta(hours=1)
CUT_OFF = "bulkhead_statements_cut_off_total"


def counted(house: House) -> TenantUsage:
    actions.measure(tenant_id=house.tenant.id, now=now())
    return TenantUsage.objects.get(tenant=house.tenant)


def rows_of(house: House) -> int:
    """By the superuser, wherever they live."""
    schema = Tenant.objects.get(pk=house.tenant.pk).live_schema
    with connected("DATABASE_SUPERUSER_URL") as database:
        total = 0
        for table in tenant_tables():
            query = f'SELECT count(*) FROM "{schema}"."{table}" WHERE tenant_id = %s'
            (found,) = database.execute(query.encode(), [house.tenant.id]).fetchall()
            total += int(found[0])
    return total


def test_rows_and_bytes_are_the_tenants_own(house: House) -> None:
    open_account(house.alice)
    open_account(house.bob)
    open_account(house.mallory)
    found = counted(house)
    assert found.rows == rows_of(house) > 0
    assert found.bytes > 30 * found.rows  # a row's head alone takes 24


def test_what_takes_longer_to_count_than_a_statement_may_is_counted_in_pieces(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here each order takes as long to measure as a great many do."""
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    trade(house.alice, market, orders=25)
    put_on_own_plan(house.tenant, statement_timeout_ms=1_000)
    quick = queries._RowSize.as_sql

    def slow(size: Any, *how: Any, **named: Any) -> Any:
        text, params = quick(size, *how, **named)
        if "trading_order" in text:
            text = f"{text} + 0 * (SELECT count(*) FROM generate_series(1, 600000 + {text}))"
        return text, params

    with monkeypatch.context() as patched:
        patched.setattr(queries._RowSize, "as_sql", slow)
        patched.setattr(queries, "_AT_A_TIME", 1)
        found = counted(house)
    assert found.rows == rows_of(house) > 50
    assert found.bytes > 30 * found.rows


def test_a_piece_that_ends_with_its_table_leaves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_account(house.alice)
    whole = counted(house)
    for size in (1, 2, 3):
        monkeypatch.setattr(queries, "_AT_A_TIME", size)
        TenantUsage.objects.update(counted_at=now() - 2 * HOUR)
        again = counted(house)
        assert (again.rows, again.bytes) == (whole.rows, whole.bytes)


def test_a_statement_that_takes_longer_than_the_plan_allows_is_counted_for_its_tenant(
    house: House,
) -> None:
    put_on_own_plan(house.tenant, statement_timeout_ms=50)
    before = value(read(exposition.counted().decode()), CUT_OFF, work="order-list")
    with job(house.tenant), work.doing(Work("order-list")), pytest.raises(OperationalError):
        connection.cursor().execute("SELECT count(*) FROM generate_series(1, 1000000000)")
    assert value(read(exposition.counted().decode()), CUT_OFF, work="order-list") == before + 1
    of_each = usage.of_each([house.tenant.pk, house.mallory.tenant.pk], now=now())
    assert [used.day.count.cut_off for used in of_each] == [1, 0]
    page = logged_in(staff()).get(f"/admin/tenants/tenant/{house.tenant.pk}/change/")
    assert "1 statement took longer than the plan allows" in page.content.decode()


def test_files_count_as_bytes(house: House) -> None:
    before = counted(house)
    with job(house.tenant):
        default_storage.save("statements/may.txt", ContentFile(b"x" * 5_000))
    with job(house.mallory.tenant):
        default_storage.save("may.txt", ContentFile(b"x" * 70_000))
    TenantUsage.objects.update(counted_at=now() - 2 * HOUR)
    assert counted(house).bytes == before.bytes + 5_000


def test_a_tenant_is_counted_once_an_hour(house: House) -> None:
    first = counted(house)
    open_account(house.alice)
    assert counted(house) == first
    assert counted(house).rows == first.rows
    actions.measure(tenant_id=house.tenant.id, now=now() + HOUR)
    assert TenantUsage.objects.get(tenant=house.tenant).rows > first.rows


def test_a_suspended_tenant_is_left_as_it_was(house: House) -> None:
    first = counted(house)
    Tenant.objects.filter(pk=house.tenant.pk).update(status=Tenant.Status.SUSPENDED)
    actions.measure(tenant_id=house.tenant.id, now=now() + HOUR)
    assert counted(house).counted_at == first.counted_at


def test_a_turn_takes_a_part_of_the_tenants_and_the_latest_last(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(house)
    never = build_tenant()
    everyone = Tenant.objects.filter(status=Tenant.Status.ACTIVE).count()
    monkeypatch.setattr(queries, "_AT_LEAST", everyone)
    due = queries.due(now=now())
    assert never.id in due
    assert house.tenant.id not in due
    later = queries.due(now=now() + HOUR)
    assert later.index(never.id) < later.index(house.tenant.id)
    monkeypatch.setattr(queries, "_AT_LEAST", 1)
    assert len(queries.due(now=now() + HOUR)) == everyone // 12 + 1


def test_a_full_tenant_makes_nothing_new_and_goes_on_with_what_it_has(house: House) -> None:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    account = open_account(house.alice)
    waits = order(account, market, type="limit", limit_price="50")
    orders = [house.alice.post("orders/", waits).json()["id"] for _ in range(2)]
    held = house.alice.post("orders/", order(account, market))
    assert held.status_code == 201
    market.feed_bar(open="100", high="101", low="99", close="100")
    counted(house)
    plan = put_on_own_plan(house.tenant, max_rows=1)

    def refused(answer: Any) -> bool:
        told = (answer.status_code, answer.json()["code"])
        return told == (409, "row_limit_reached")

    assert refused(house.alice.post("orders/", waits))
    assert refused(house.alice.request("PATCH", f"orders/{orders[0]}/", {"limit_price": "49"}))
    assert refused(house.bob.post("accounts/", {"name": "another"}))
    money = {"currency": "USD", "amount": "1"}
    assert refused(house.alice.post(f"accounts/{account}/deposit/", money))
    assert house.vera.post("orders/", waits).status_code == 403  # who may not, hears that
    assert house.alice.get("orders/").status_code == 200
    assert house.alice.post("orders/preview/", waits).status_code == 200
    assert house.alice.request("DELETE", f"orders/{orders[0]}/").status_code == 200
    assert house.alice.post("orders/cancel-all/", {"account": account}).status_code == 200
    position = house.alice.get("positions/").json()["results"][0]["id"]
    assert house.alice.post(f"positions/{position}/close/", {}).status_code == 201
    assert house.alice.post(f"accounts/{account}/withdraw/", money).status_code == 201
    assert house.mallory.post("accounts/", {"name": "hers"}).status_code == 201
    change(plan, max_rows=None)
    assert house.bob.post("accounts/", {"name": "another"}).status_code == 201


def test_a_tenant_without_storage_left_makes_nothing_new(house: House) -> None:
    open_account(house.alice)
    counted(house)
    put_on_own_plan(house.tenant, max_bytes=1)
    answer = house.alice.post("accounts/", {"name": "another"})
    assert (answer.status_code, answer.json()["code"]) == (409, "storage_limit_reached")


def test_what_nobody_has_counted_yet_is_little(house: House) -> None:
    put_on_own_plan(house.tenant, max_rows=0, max_bytes=0)
    assert house.alice.post("accounts/", {"name": "first"}).status_code == 201


def _portfolio(house: House, name: str) -> str:
    answer = house.alice.post("portfolios/", {"name": name, "initial_capital": "1"})
    return str(answer.json()["id"])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Counts that a worker was asked for, as tenant and seconds to wait."""
    sent: list[tuple[str, int]] = []

    def note(args: tuple[str], *, countdown: int) -> None:
        sent.append((args[0], countdown))

    monkeypatch.setattr(tasks.measure_again, "apply_async", note)
    return sent


def full(house: House, *, counted_at: datetime) -> None:
    """With a great many rows when it was last counted."""
    many = {"rows": 1_000_000, "bytes": 1, "counted_at": counted_at}
    TenantUsage.objects.update_or_create(tenant=house.tenant, defaults=many)
    put_on_own_plan(house.tenant, max_rows=1_000_000)
    answer = house.alice.post("accounts/", {"name": "another"})
    assert answer.json()["code"] == "row_limit_reached"


def test_a_full_tenant_that_deletes_works_again_within_a_minute(
    house: House, asked: list[tuple[str, int]]
) -> None:
    named = [_portfolio(house, name) for name in "abc"]
    assert house.alice.request("DELETE", f"portfolios/{named.pop()}/").status_code == 204
    assert asked == []  # it is not full
    full(house, counted_at=now())
    assert house.alice.request("DELETE", "portfolios/nothing/").status_code == 404
    assert asked == []
    assert house.alice.request("DELETE", f"portfolios/{named.pop()}/").status_code == 204
    assert house.alice.request("DELETE", f"portfolios/{named.pop()}/").status_code == 204
    [(tenant_id, wait)] = asked
    assert (tenant_id, wait < 60) == (str(house.tenant.pk), True)
    tasks.measure_again(tenant_id)
    assert house.alice.post("accounts/", {"name": "another"}).status_code == 201


def test_a_tenant_that_is_refused_by_an_old_count_is_counted_again(
    house: House, asked: list[tuple[str, int]]
) -> None:
    full(house, counted_at=now() - timedelta(seconds=61))
    assert house.bob.post("accounts/", {"name": "another"}).status_code == 409
    assert asked == [(str(house.tenant.pk), 0)]
    tasks.measure_again(asked[0][0])
    assert house.bob.post("accounts/", {"name": "another"}).status_code == 201


def test_a_count_that_is_fresh_is_gone_by(house: House, asked: list[tuple[str, int]]) -> None:
    full(house, counted_at=now())
    assert asked == []


def test_who_is_full_from_now_on_is_so_at_once(house: House) -> None:
    open_account(house.alice)
    put_on_own_plan(house.tenant, max_rows=1)
    assert house.alice.post("accounts/", {"name": "another"}).status_code == 201
    counted(house)
    assert house.alice.post("accounts/", {"name": "a third"}).status_code == 409


def test_a_broker_that_is_away_changes_no_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise kombu.exceptions.OperationalError

    monkeypatch.setattr(tasks.measure_again, "apply_async", away)
    full(house, counted_at=now() - HOUR)
