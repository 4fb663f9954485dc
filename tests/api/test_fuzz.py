"""Whatever a client sends: no 500, no undocumented status, nothing that is another's.

The suite tries some cases a route; `make fuzz` is the campaign, with a thousand.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from itertools import chain
from typing import Any
from zlib import crc32

import pytest
import requests
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.access.roles import KeyScope, Role
from accounts.users import actions as users
from tests.accounts.doors import post
from tests.attacks.wire import stepped_up
from tests.cast import PASSWORD, House, Person, anywhere, build_person, now
from tests.isolation.world import Trader, World, build_world
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
# Who has left their tenant tries nothing else.
LEAVES = "/api/v1/auth/membership/"
schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))


@dataclass(frozen=True)
class Caller:
    """Somebody of a role in a tier, what there is to ask for, and what must not be told."""

    headers: dict[str, str]
    ids: dict[str, str]
    foreign: list[str]


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    """Behind a proxy, so that every case has an address of its own and none is turned away."""
    with serve(TRUSTED_PROXIES="1") as server:
        yield server


@pytest.fixture(scope="module")
def line() -> Iterator[requests.Session]:
    """Connections that stay open, and keep no cookie of one caller for another."""
    with requests.Session() as session:
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield session


@dataclass(frozen=True)
class Callers:
    """People and keys by tier, and nobody in particular."""

    roles: dict[str, list[Caller]]
    keys: dict[str, list[Caller]]
    nobody: Caller

    @property
    def all(self) -> list[Caller]:
        return [*chain(*self.roles.values(), *self.keys.values()), self.nobody]


@pytest.fixture(scope="module")
def callers() -> Callers:
    """In tenants of this module's own: the fuzz writes into them."""
    world = build_world()
    return Callers(
        {tier: [_caller(world, tier, role) for role in Role] for tier in TIERS},
        {tier: [_caller(world, tier, scope) for scope in KeyScope] for tier in TIERS},
        Caller({}, _ids(world, "starter"), _secrets(world.traders)),
    )


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= IN_THE_SUITE,
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_bears_anything(
    case: Any, callers: Callers, site: Server, line: requests.Session
) -> None:
    """As every role and key of each tier, and as nobody; everybody asks for Alice's."""
    for caller in _chosen(callers, case):
        if case.operation.path == LEAVES and caller.headers:
            continue
        _with_real_ids(case, caller.ids)
        headers = {**caller.headers, "X-Forwarded-For": anywhere()}
        answer = case.call_and_validate(
            base_url=site.url, headers=headers, checks=CHECKS, session=line
        )
        told = f"{answer.text} {answer.headers}"
        assert not [secret for secret in caller.foreign if secret in told], case


def _chosen(callers: Callers, case: Any) -> list[Caller]:
    """By what the case holds: every role of one tier and one of its keys; in the suite one of five.

    So each role gets each case, half of them in each tier.
    """
    held = (case.path_parameters, case.query, case.headers, case.body)
    drawn = crc32(repr(held).encode("utf-8", "backslashreplace"))
    if EXAMPLES <= IN_THE_SUITE:
        return callers.all[drawn % 5 :: 5]
    tier, keys = TIERS[drawn % len(TIERS)], len(KeyScope)
    key = callers.keys[tier][drawn // len(TIERS) % keys]
    return [*callers.roles[tier], key, callers.nobody]


def _caller(world: World, tier: str, who: Role | KeyScope) -> Caller:
    """A role, or an owner's key."""
    house = world.houses[tier]
    if isinstance(who, KeyScope):
        credential = _key(house.olga, who)
    else:
        credential = stepped_up(_person(house, who))
    unseen = [t for t in world.traders if not _may_see(who, t.person, house)]
    return Caller({"Authorization": credential}, _ids(world, tier), _secrets(unseen))


def _person(house: House, role: Role) -> Person:
    """Somebody who has just proven themselves: the fuzz should get further than that question."""
    if role is Role.SUPPORT:
        email = f"{house.tenant.slug}@bulkhead.example"
        staff = users.ensure(email=email, password=PASSWORD, now=now(), is_staff=True)
        return Person("staff", staff.id, email, house.tenant, role)
    people = {Role.OWNER: house.olga, Role.TRADER: house.alice, Role.VIEWER: house.vera}
    return people.get(role) or build_person(house.tenant, role.value, role)


def _key(owner: Person, scope: KeyScope) -> str:
    made = post("api-keys/", {"name": "fuzz", "scope": scope}, credential=stepped_up(owner))
    return f"Api-Key {made.json()['key']}"


def _may_see(who: Role | KeyScope, trader: Person, house: House) -> bool:
    """A trader's rows are the own, a viewer's here too, and all others' those of the tenant."""
    if who is Role.VIEWER:
        return False
    return trader == house.alice if who is Role.TRADER else trader.tenant == house.tenant


def _secrets(traders: list[Trader]) -> list[str]:
    return [secret for trader in traders for secret in trader.secrets]


def _ids(world: World, tier: str) -> dict[str, str]:
    alice = world.houses[tier].alice
    return next(trader.ids for trader in world.traders if trader.person == alice)


def _with_real_ids(case: Any, ids: dict[str, str]) -> None:
    """Half of the cases go to objects that exist, so that the fuzz gets past the 404."""
    kind = next((k for k in ids if f"/{k.lower()}s/" in case.operation.path), None)
    if kind and case.path_parameters and len(str(case.path_parameters.get("id", ""))) % 2 == 0:
        case.path_parameters["id"] = ids[kind]
