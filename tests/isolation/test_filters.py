"""Every filter and ordering of every list, with what stands in a stranger's rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from accounts.audit import csv_export
from tests.accounts.doors import call, stepped_up
from tests.cast import Person
from tests.isolation.database import without_walls
from tests.isolation.lists import Listing, Question, listings
from tests.isolation.surface import path_of, values_for
from tests.isolation.test_strangers import OVERSEEN, PERSONAL
from tests.isolation.world import Trader, World

LISTINGS = listings()
_REQUEST_ID = re.compile(r'"request_id":"[^"]*"}$')  # of a problem document, at its end
EVERY = pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.route.name)
# Below a row of the reader's own there is nobody else's; and events are of one person besides.
WALLED = [
    listing
    for listing in LISTINGS
    if listing.filters() and not listing.route.is_detail and listing.model.__name__ not in PERSONAL
]


@pytest.fixture
def world(written: World) -> World:
    """Not the one that others look at: to take a trail along is on record with what was asked."""
    return written


@pytest.fixture(autouse=True)
def _exports_take_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without walls they have what all tests of a run have left."""
    monkeypatch.setattr(csv_export, "MOST_ROWS", 10_000_000)


def ask(listing: Listing, reader: Person, query: str, world: World) -> tuple[int, str]:
    """Status and text, of the reader's own rows where the list stands below one."""
    trader = next(own for who, own in world.readers() if who is reader)
    path = path_of(listing.route, values_for(listing.route, trader, world))
    target = f"{path.removeprefix('api/v1/')}?{query}"
    answer = call("GET", target, credential=stepped_up(reader))
    assert answer.status_code in (200, 400), answer.content
    return answer.status_code, but_exports(answer)


def but_exports(answer: Any) -> str:
    """What was taken along before is the reader's own doing, in the words of these questions."""
    text = str(answer.content.decode())
    if answer["Content-Type"].startswith("text/csv"):
        return "".join(line for line in text.splitlines(True) if ",audit.exported," not in line)
    said = answer.json()
    if "results" in said:
        kept = [row for row in said["results"] if row.get("action") != "audit.exported"]
        said["results"] = kept
    return json.dumps(said, separators=(",", ":"))


def pairs(listing: Listing, world: World) -> Iterator[tuple[Trader, Person]]:
    """On each tier somebody with rows, and strangers who may see such a list.

    A colleague, people of other tenants on both tiers, and who is in charge of another tenant.
    """
    for owner in (world.traders[0], world.traders[3]):
        tenant = owner.person.tenant
        colleagues = [t.person for t in world.strangers_of(owner) if t.person.tenant == tenant]
        others = [t.person for t in world.traders if t.person.tenant != tenant]
        in_charge = [each for each in world.owners.values() if each.tenant != tenant]
        if listing.model.__name__ in OVERSEEN:
            chosen = in_charge
        else:
            chosen = [*colleagues, others[0], others[-1], in_charge[0]]
        yield from ((owner, reader) for reader in chosen)


def told(listing: Listing, owner: Trader, reader: Person, world: World) -> list[str]:
    """Filters by which a stranger learns something: a foreign text, or that the value is there."""
    return [
        question.query
        for question in listing.questions(owner)
        if leaks(question, listing, reader, world)
    ]


def leaks(question: Question, listing: Listing, reader: Person, world: World) -> bool:
    status, text = ask(listing, reader, question.query, world)
    plain = without(question.value, text)
    if any(secret in plain and secret not in question.value for secret in world.foreign_to(reader)):
        return True
    if question.twin is None:
        return False
    other = ask(listing, reader, question.twin_query, world)
    return (status, plain) != (other[0], without(question.twin, other[1]))


def without(value: str, text: str) -> str:
    """An answer but for what was asked, and for what differs from request to request."""
    for spelling in (value, quote(value, safe="")):
        text = text.replace(spelling, "?")
    return _REQUEST_ID.sub("", text)


@EVERY
def test_no_filter_reaches_a_stranger(world: World, listing: Listing) -> None:
    """A value of somebody else's is as unknown as one that nobody has."""
    for owner, reader in pairs(listing, world):
        assert told(listing, owner, reader, world) == []


@EVERY
def test_a_filter_finds_ones_own(world: World, listing: Listing) -> None:
    """Otherwise one that never finds anything would pass for a wall."""
    for owner in (world.traders[0], world.traders[3]):
        in_charge = listing.model.__name__ in OVERSEEN
        reader = world.owner_over(owner) if in_charge else owner.person
        for question in listing.questions(owner):
            if question.twin is not None:
                status, text = ask(listing, reader, question.query, world)
                nothing = ask(listing, reader, question.twin_query, world)[1]
                assert status == 200
                assert without(question.value, text) != without(question.twin, nothing), question


@EVERY
def test_no_ordering_reaches_a_stranger(world: World, listing: Listing) -> None:
    orderings = [sign + name for name in listing.orderings for sign in ("", "-")]
    for _, reader in pairs(listing, world):
        for ordering in orderings:
            status, text = ask(listing, reader, f"ordering={ordering}", world)
            assert status == 200
            assert not [secret for secret in world.foreign_to(reader) if secret in text]


@EVERY
def test_no_ordering_is_taken_that_is_not_offered(world: World, listing: Listing) -> None:
    _, reader = next(pairs(listing, world))
    for name in listing.orderings_not_offered():
        status, text = ask(listing, reader, f"ordering={name}", world)
        assert status == 400, name
        assert '"detail":"`ordering` takes: ' in text


@EVERY
def test_what_is_no_filter_is_refused(world: World, listing: Listing) -> None:
    """Columns that nobody offers, lookups and relations."""
    owner, reader = next(pairs(listing, world))
    queries = list(listing.not_offered(owner))
    assert queries
    for query in queries:
        status, text = ask(listing, reader, query, world)
        assert status == 400, query
        assert '"detail":"There is no parameter ' in text


@pytest.mark.parametrize("listing", WALLED, ids=lambda listing: listing.route.name)
def test_without_walls_a_filter_would_reach_a_stranger(world: World, listing: Listing) -> None:
    """The mutation, on the shared tier: the questions above are answered then.

    The database's wall alone is enough; the view's is not, for the choices of a filter are rows.
    """
    owner, *_ = world.traders
    readers = [reader for whose, reader in pairs(listing, world) if whose is owner]
    shared = [reader for reader in readers if reader.tenant.live_schema == "public"]
    with without_walls(but="database"):
        assert [told(listing, owner, reader, world) for reader in shared] == [[]] * len(shared)
    with without_walls():
        assert [told(listing, owner, reader, world) for reader in shared] != [[]] * len(shared)
