"""What each table would be on more machines than one: in the live database and on the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tenants import entry
from tenants.catalogue import distribution, inspection
from tenants.catalogue.distribution import Kind
from tenants.catalogue.subject import Reader
from tests.tenants.catalogue.scratch import Scratch

_PAGE = Path(__file__).resolve().parents[3] / "docs" / "scaling.md"
_READS = re.compile(r"\b(?:FROM|JOIN) public\.(\w+)")


@pytest.fixture(scope="module")
def places(scratch: Scratch) -> list[dict[str, str]]:
    ran = scratch.manage("check_isolation", "--places", "--json")
    assert ran.returncode == 0
    found: list[dict[str, str]] = json.loads(ran.stdout)["places"]
    return found


def test_everywhere_is_what_entering_a_tenant_reads() -> None:
    assert set(_READS.findall(entry.ENTER_TENANT)) == set(distribution.EVERYWHERE)


def test_a_tenants_table_is_one_thing_in_public_and_another_in_a_schema_of_its_own(
    scratch: Scratch, places: list[dict[str, str]]
) -> None:
    kinds = {place["schema"]: place["kind"] for place in places if place["table"] == "trading_fill"}
    assert kinds["public"] == Kind.DISTRIBUTED
    assert kinds[scratch.dedicated] == Kind.SHARD


def test_the_page_names_every_table(places: list[dict[str, str]]) -> None:
    """One that is new has to be thought about before it ships."""
    page = _PAGE.read_text()
    for kind in (Kind.DISTRIBUTED, Kind.REFERENCE, Kind.LOCAL):
        line = page.partition(f"| **{kind}** |")[2].partition("\n")[0]
        tables = {place["table"] for place in places if place["kind"] == kind}
        assert set(re.findall(r"`(\w+)`", line)) == tables


def test_the_page_names_gaps_that_there_are() -> None:
    """In the table of what Citus asks for; whatever this room adds has to stand in it."""
    section = _PAGE.read_text().partition("### What Citus asks for")[2].partition("###")[0]
    held_by = [line.strip("|").split("|")[2] for line in section.splitlines() if "|" in line]
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", " ".join(held_by)))
    added = (distribution.REFERENCES, distribution.ROWS, distribution.POLICIES)
    assert named - codes(inspection.SUBJECTS) == {"on_a_shard"}
    assert codes(added) <= named


def codes(subjects: Iterable[Reader]) -> set[str]:
    return {code for subject in subjects for code in subject.sentences}


def test_people_are_told_by_kind(scratch: Scratch) -> None:
    lines = scratch.manage("check_isolation", "--places").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[1:]] == sorted(Kind)
    assert "reference: tenants_plan, tenants_tenant" in lines
    assert "shard: 2 schemas" in lines
