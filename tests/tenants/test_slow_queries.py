"""Statements that take long: on the log, counted, and listed for the staff by tenant."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError
from django.db import connection
from redis.exceptions import ConnectionError as Away

from config.observing import exposition, work
from config.observing.work import Work
from tenants import slow_queries
from tests.accounts.test_staff import logged_in, staff
from tests.cast import House, job
from tests.config.observing.scraped import read, value
from tests.tenants.lifecycle.test_commands import run

EVERY, NONE = 0, 3_600_000  # milliseconds from which on a statement is slow


def ask(text: str) -> None:
    with work.doing(Work("order-list")), connection.cursor() as cursor:
        cursor.execute(f"SELECT 'slow', '{text}', %s", [text])


def test_a_slow_statement_is_kept_for_its_tenant(
    house: House, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SLOW_STATEMENT_MS, secret = EVERY, uuid4().hex
    before = value(read(exposition.counted().decode()), "bulkhead_slow_statements_total")
    with caplog.at_level("WARNING", "bulkhead.slow"), job(house.tenant):
        ask(secret)
        ask(secret)
    (slow,) = slow_queries.of(house.tenant.id)
    assert slow.shape == "SELECT ?, ?, %s"
    assert (slow.work, slow.times) == ("order-list", 2)
    assert slow.total_ms >= slow.longest_ms >= slow.average_ms >= 0
    after = value(read(exposition.counted().decode()), "bulkhead_slow_statements_total")
    assert after >= before + 2
    assert secret not in caplog.text
    lines = [record for record in caplog.records if record.name == "bulkhead.slow"]
    assert len(lines) == 2
    assert lines[0].getMessage().startswith("order-list took ")


def test_quick_ones_and_other_tenants_are_not_on_the_list(house: House, settings: Any) -> None:
    settings.SLOW_STATEMENT_MS = NONE
    with job(house.tenant):
        ask("x")
    assert slow_queries.of(house.tenant.id) == []
    settings.SLOW_STATEMENT_MS = EVERY
    with job(house.tenant):
        ask("x")
    assert slow_queries.of(house.mallory.tenant.id) == []


def test_the_list_is_so_long_and_keeps_what_came_last(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_queries, "KEPT", 3)
    with job(house.tenant):
        for name in "abcde":
            slow_queries.note(f"SELECT {name}", seconds=1.0)
            time.sleep(0.002)  # the order is by the clock
    kept = {query.shape for query in slow_queries.of(house.tenant.id)}
    assert kept == {"SELECT c", "SELECT d", "SELECT e"}


def test_a_valkey_that_is_away_fails_no_statement(
    house: House, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise Away

    settings.SLOW_STATEMENT_MS = EVERY
    monkeypatch.setattr(slow_queries.valkey, "client", away)
    with job(house.tenant), connection.cursor() as cursor:
        cursor.execute("SELECT 7")
        assert cursor.fetchone() == (7,)


def test_the_staffs_page_and_a_command_show_them_without_values(
    house: House, settings: Any
) -> None:
    settings.SLOW_STATEMENT_MS, secret = EVERY, uuid4().hex
    with job(house.tenant):
        ask(secret)
    settings.SLOW_STATEMENT_MS = NONE
    page = logged_in(staff()).get(f"/admin/tenants/tenant/{house.tenant.pk}/change/")
    shown = page.content.decode()
    assert "<code>SELECT ?, ?, %s</code></td><td>order-list</td>" in shown
    (told,) = json.loads(run("slow_queries", house.tenant.slug, "--json"))["slow"]
    assert (told["shape"], told["work"], told["times"]) == ("SELECT ?, ?, %s", "order-list", 1)
    lines = run("slow_queries", house.tenant.slug)
    assert "SELECT ?, ?, %s" in lines
    assert secret not in shown + lines
    assert "no statement took long" in run("slow_queries", house.mallory.tenant.slug)


def test_nobodys_slow_statements_are_not_listed() -> None:
    with pytest.raises(CommandError, match="There is no tenant 'nobody'"):
        run("slow_queries", "nobody")
