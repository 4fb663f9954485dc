"""`/api/v1/audit-log/`: who may read the trail, what they find, and what they take along."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.audit import actions as audit
from accounts.audit import csv_export
from tests.accounts.doors import stepped_up
from tests.cast import House, job, now

pytestmark = pytest.mark.by_turns


@pytest.fixture
def house(house: House) -> House:
    """With one account of Alice's, of Bob's and of Mallory's on the record."""
    for person in (house.alice, house.bob, house.mallory):
        person.post("accounts/", {"name": f"of {person.name}"})
    return house


def found(house: House, query: str = "") -> list[dict[str, Any]]:
    answer = house.olga.get(f"audit-log/{query}")
    assert answer.status_code == 200, answer.json()
    return list(answer.json()["results"])


def export(house: House, query: str = "", **headers: str) -> Any:
    """By an owner who has just proven themselves."""
    proven = {"Authorization": stepped_up(house.olga), **headers}
    return house.olga.get(f"audit-log/export/{query}", **proven)


def exported(house: House, query: str = "") -> list[dict[str, str]]:
    answer = export(house, query)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_who_is_in_charge_reads_all_of_the_tenants_trail_and_no_others(house: House) -> None:
    events = found(house)
    assert [event["actor_id"] for event in events] == [
        str(house.bob.user_id),
        str(house.alice.user_id),
    ]
    assert str(house.mallory.user_id) not in str(events)
    one = house.olga.get(f"audit-log/{events[0]['id']}/")
    assert one.json() == events[0]
    with job(house.mallory.tenant):
        audit.record("test.theirs", key="theirs")
    assert found(house, "?key=theirs") == []


@pytest.mark.parametrize("path", ["", "export/", "01890000-0000-7000-8000-000000000000/"])
def test_traders_and_viewers_may_not(house: House, path: str) -> None:
    for person in (house.alice, house.vera):
        assert person.get(f"audit-log/{path}").status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_writes_through_the_api(house: House, method: str) -> None:
    event = found(house)[0]["id"]
    for path in ("audit-log/", f"audit-log/{event}/"):
        assert house.olga.request(method, path, {}).status_code in (403, 405)


def test_a_strangers_event_is_as_missing_as_none(house: House) -> None:
    with job(house.mallory.tenant):
        audit.record("test.theirs")
        event = audit.AuditEvent.objects.get(action="test.theirs")
    answer = house.olga.get(f"audit-log/{event.id}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_filters_narrow_the_list_and_the_file(house: House) -> None:
    with job(house.tenant):
        audit.record("test.done", kind="thing", key="7")
    queries = {
        "?action=test.done": 1,
        f"?actor_id={house.alice.user_id}": 1,
        "?kind=account": 2,
        "?key=7": 1,
        f"?kind=account&at_after={quote((now() - timedelta(hours=1)).isoformat())}": 2,
        f"?at_before={quote((now() - timedelta(hours=1)).isoformat())}": 0,
        "?action=nothing.like.it": 0,
    }
    for query, count in queries.items():
        assert len(found(house, query)) == count, query
        exports = len(found(house, "?action=audit.exported"))
        rows = [row for row in exported(house, query) if row["action"] != "audit.exported"]
        assert len(rows) == count, query
        assert len(found(house, "?action=audit.exported")) == exports + 1


@pytest.mark.parametrize("query", ["?at_after=soon", "?actor_id=7", "?ordering=tenant_id"])
def test_what_is_no_filter_is_refused(house: House, query: str) -> None:
    assert house.olga.get(f"audit-log/{query}").status_code == 400


def test_pages_follow_one_another(house: House) -> None:
    with job(house.tenant):
        for number in range(5):
            audit.record("test.done", key=str(number))
    seen, path = [], "audit-log/?page_size=2&ordering=at&action=test.done"
    while path:
        page = house.olga.get(path).json()
        seen += [event["key"] for event in page["results"]]
        path = (page["next"] or "").partition("/api/v1/")[2]
    assert seen == ["0", "1", "2", "3", "4"]


def test_a_list_takes_one_statement(house: House) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert house.olga.get("audit-log/").status_code == 200
    assert len(captured) == 3, [query["sql"] for query in captured]  # with BEGIN and COMMIT


def test_taking_the_trail_along_is_recorded(house: House) -> None:
    exported(house, "?kind=account")
    event = found(house)[0]
    assert (event["action"], event["actor_id"]) == ("audit.exported", str(house.olga.user_id))
    assert event["after"] == {"filters": {"kind": "account"}}


def test_the_file_is_given_to_who_asks_for_csv(house: House) -> None:
    for accept in ("text/csv", "*/*", "application/json"):
        answer = export(house, Accept=accept)
        assert answer["Content-Type"].startswith("text/csv")
        assert answer["Content-Disposition"] == 'attachment; filename="audit-log.csv"'
        assert answer["Cache-Control"] == "private, no-store"
    refused = export(house, "?at_after=soon", Accept="text/csv")
    assert refused.json()["code"] == "invalid"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(house: House, start: str) -> None:
    evil = f"{start}HYPERLINK(A1)"
    with job(house.tenant):
        audit.record("test.evil", key=evil, after={"name": evil})
    (row,) = exported(house, "?action=test.evil")
    assert row["key"] == f"'{evil}"
    assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("end", [";", "\t", "\n", "; ", ';"'])
def test_no_cell_is_a_formula_to_a_reader_of_other_separators(house: House, end: str) -> None:
    evil = f"x{end}=HYPERLINK(A1);y"
    with job(house.tenant):
        audit.record("test.evil", key=evil, after={"name": evil, evil: [evil]})
    text = export(house, "?action=test.evil").content.decode()
    for separator in (";", "\t"):
        rows = csv.reader(io.StringIO(text), delimiter=separator)
        for cell in (cell.strip(" \"'{[") for row in rows for cell in row if cell[:1] != "'"):
            assert not cell.startswith(("=", "+", "-", "@")), cell
    (row,) = exported(house, "?action=test.evil")
    assert json.loads(row["after"]) == {"name": evil, evil: [evil]}


def test_an_export_that_would_be_cut_is_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_export, "MOST_ROWS", 1)
    answer = export(house)
    assert (answer.status_code, answer.json()["code"]) == (422, "export_too_large")
    assert len(found(house, "?action=audit.exported")) == 0
    monkeypatch.setattr(csv_export, "MOST_ROWS", 2)
    assert len(exported(house)) == 2
