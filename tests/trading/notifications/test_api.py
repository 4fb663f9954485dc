"""`/api/v1/notifications/`: each person's own, newest first, and what has been read."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import House, Person, job
from tests.trading.notifications.test_log import tell

pytestmark = pytest.mark.by_turns

PATH = "notifications/"


def listed(person: Person, query: str = "") -> list[dict[str, Any]]:
    answer = person.get(f"{PATH}{query}")
    assert answer.status_code == 200, answer.content
    rows: list[dict[str, Any]] = answer.json()["results"]
    return rows


@pytest.fixture
def told(house: House) -> House:
    """Alice has been told `a0` to `a4`; Bob, Olga and Mallory one thing each."""
    with job(house.tenant):
        for number in range(5):
            tell(house.alice.user_id, f"a{number}", place=number)
        tell(house.bob.user_id, "b")
        tell(house.olga.user_id, "o")
    with job(house.mallory.tenant):
        tell(house.mallory.user_id, "m")
    return house


def test_each_sees_their_own_newest_first_whatever_their_role(told: House) -> None:
    rows = listed(told.alice)
    assert [row["kind"] for row in rows] == ["a4", "a3", "a2", "a1", "a0"]
    assert [row["number"] for row in rows] == [5, 4, 3, 2, 1]
    assert set(rows[0]) == {"id", "number", "kind", "at", "data", "read_at"}
    assert (rows[0]["data"], rows[0]["read_at"]) == ({"place": 4}, None)
    assert [row["kind"] for row in listed(told.bob)] == ["b"]
    assert [row["kind"] for row in listed(told.olga)] == ["o"]
    assert [row["kind"] for row in listed(told.mallory)] == ["m"]
    assert listed(told.vera) == []


def test_pages_follow_one_another(told: House) -> None:
    seen, path = [], f"{PATH}?page_size=2"
    while path:
        page = told.alice.get(path).json()
        seen.append([row["number"] for row in page["results"]])
        path = (page["next"] or "").partition("/api/v1/")[2]
    assert seen == [[5, 4], [3, 2], [1]]


def test_a_page_takes_one_statement(told: House) -> None:
    listed(told.alice)  # and what the plan allows is remembered
    with CaptureQueriesContext(connection) as captured:
        listed(told.alice)
    # BEGIN, which brings the tenant along, and COMMIT.
    assert len(captured) == 3, [query["sql"] for query in captured]


def test_reading_is_noted_once(told: House) -> None:
    (id_,) = [row["id"] for row in listed(told.alice, "?kind=a3")]
    first = told.alice.post(f"{PATH}{id_}/read/", None)
    assert first.status_code == 200
    assert first.json()["read_at"] is not None
    assert told.alice.post(f"{PATH}{id_}/read/", None).json() == first.json()
    assert [row["kind"] for row in listed(told.alice, "?unread=true")] == ["a4", "a2", "a1", "a0"]
    assert listed(told.alice, "?unread=false") == [first.json()]
    assert listed(told.alice, "?unread=true&kind=a3") == []


def test_reading_all_leaves_what_was_read_before_and_what_is_others(told: House) -> None:
    before = told.alice.post(f"{PATH}{listed(told.alice)[0]['id']}/read/", None).json()
    for expected in (4, 0):
        answer = told.alice.post(f"{PATH}read-all/", None)
        assert (answer.status_code, answer.json()) == (200, {"read": expected})
    assert listed(told.alice)[0] == before
    assert listed(told.alice, "?unread=true") == []
    assert told.olga.post(f"{PATH}read-all/", None).json() == {"read": 1}
    assert [row["kind"] for row in listed(told.bob, "?unread=true")] == ["b"]


@pytest.mark.parametrize("who", ["bob", "olga", "mallory"])
def test_somebody_elses_is_as_missing_as_none(told: House, who: str) -> None:
    """An owner sees the whole tenant; what has happened to others is still not theirs to read."""
    stranger: Person = getattr(told, who)
    for id_ in (listed(told.alice)[0]["id"], uuid4(), "0" * 32):
        answer = stranger.post(f"{PATH}{id_}/read/", None)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert len(listed(told.alice, "?unread=true")) == 5


def test_who_may_not_write_reads_and_marks_nothing(told: House) -> None:
    assert told.vera.get(PATH).status_code == 200
    assert told.vera.post(f"{PATH}read-all/", None).status_code == 403


@pytest.mark.parametrize("query", ["?cursor=x", "?ordering=at", "?cursor=cD14eXo%3D"])
def test_what_the_list_does_not_know_is_refused(told: House, query: str) -> None:
    answer = told.alice.get(f"{PATH}{query}")
    assert answer.status_code == 400, answer.content
