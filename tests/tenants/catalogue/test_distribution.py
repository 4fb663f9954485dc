"""What each table would be on more machines than one: in the live database and on the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tenants import entry
from tenants.catalogue import distribution, inspection
from tenants.catalogue.distribution import Kind
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


def rows() -> list[list[str]]:
    """The cells of every table of the page, as they stand there."""
    lines = [line for line in _PAGE.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_names_every_table(places: list[dict[str, str]]) -> None:
    """One that is new has to be thought about before it ships."""
    named = {cells[0]: set(re.findall(r"`(\w+)`", cells[1])) for cells in rows()}
    for kind in (Kind.DISTRIBUTED, Kind.REFERENCE, Kind.LOCAL):
        tables = {place["table"] for place in places if place["kind"] == kind}
        assert named[f"**{kind}**"] == tables


def test_the_page_names_gaps_that_there_are() -> None:
    asked = [cells for cells in rows() if len(cells) == 3 and "[" in cells[1]]
    named = {code for cells in asked for code in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", cells[2])}
    known = {code for subject in inspection.SUBJECTS for code in subject.sentences}
    assert named - known == {"on_a_shard", "tenant_id"} & named
    assert {code for code in distribution_codes() if code not in named} == set()


def distribution_codes() -> set[str]:
    subjects = (distribution.REFERENCES, distribution.ROWS, distribution.POLICIES)
    return {code for subject in subjects for code in subject.sentences}


def test_people_are_told_by_kind(scratch: Scratch) -> None:
    lines = scratch.manage("check_isolation", "--places").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[1:]] == sorted(Kind)
    assert "reference: tenants_plan, tenants_tenant" in lines
    assert "shard: 2 schemas" in lines
