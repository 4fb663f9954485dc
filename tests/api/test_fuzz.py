"""Whatever a client sends: no 500, no undocumented status, problems as problem documents.

The suite tries some cases a route; `make fuzz` is the campaign, with a thousand.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.access.roles import Role
from tests.attacks.wire import stepped_up
from tests.cast import anywhere, build_person
from tests.isolation.world import World, build_world
from tests.web import Server, serve

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
IN_THE_SUITE = 20
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", IN_THE_SUITE))
TIERS = ("starter", "enterprise")
ROLES = (Role.OWNER, Role.ADMIN, Role.TRADER, Role.VIEWER)
# Who has left their tenant tries nothing else.
LEAVES = "/api/v1/auth/membership/"
schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))


@dataclass(frozen=True)
class Caller:
    """Somebody of a role in a tier, and what their tenant has that is worth asking for."""

    headers: dict[str, str]
    ids: dict[str, str]


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    """Behind a proxy, so that every case has an address of its own and none is turned away."""
    with serve(TRUSTED_PROXIES="1") as server:
        yield server


@pytest.fixture(scope="module")
def callers() -> list[Caller]:
    """In tenants of this module's own: the fuzz writes into them."""
    world = build_world()
    known = [Caller(_headers(world, tier, role), _ids(world, tier)) for tier, role in _parts()]
    return [*known, Caller({}, _ids(world, "starter"))]


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= IN_THE_SUITE,
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_bears_anything(case: Any, callers: list[Caller], site: Server) -> None:
    """As every role of each tier, and as nobody."""
    for caller in _chosen(callers, case):
        if case.operation.path == LEAVES and caller.headers:
            continue
        _with_real_ids(case, caller.ids)
        headers = {**caller.headers, "X-Forwarded-For": anywhere()}
        case.call_and_validate(base_url=site.url, headers=headers, checks=CHECKS)


def _chosen(callers: list[Caller], case: Any) -> list[Caller]:
    """All of them in the campaign; in the suite every third, by what the case holds."""
    if EXAMPLES > IN_THE_SUITE:
        return callers
    held = (case.path_parameters, case.query, case.headers, case.body)
    return callers[crc32(repr(held).encode("utf-8", "backslashreplace")) % 3 :: 3]


def _parts() -> list[tuple[str, Role]]:
    return [(tier, role) for tier in TIERS for role in ROLES]


def _headers(world: World, tier: str, role: Role) -> dict[str, str]:
    """Somebody who has just proven themselves: the fuzz should get further than that question."""
    house = world.houses[tier]
    people = {Role.OWNER: house.olga, Role.TRADER: house.alice, Role.VIEWER: house.vera}
    person = people.get(role) or build_person(house.tenant, role.value, role)
    return {"Authorization": stepped_up(person)}


def _ids(world: World, tier: str) -> dict[str, str]:
    alice = world.houses[tier].alice
    return next(trader.ids for trader in world.traders if trader.person == alice)


def _with_real_ids(case: Any, ids: dict[str, str]) -> None:
    """Half of the cases go to objects that exist, so that the fuzz gets past the 404."""
    kind = next((k for k in ids if f"/{k.lower()}s/" in case.operation.path), None)
    if kind and case.path_parameters and len(str(case.path_parameters.get("id", ""))) % 2 == 0:
        case.path_parameters["id"] = ids[kind]
