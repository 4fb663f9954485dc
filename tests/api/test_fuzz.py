"""Whatever a client sends: no 500, no undocumented status, nothing that is another's.

The suite tries some cases a route; `make fuzz` is the campaign, with a thousand.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
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
from accounts.tokens import credentials
from accounts.tokens.credentials import Grant
from accounts.tokens.models import ApiKey
from accounts.users import actions as users
from tenants.identifiers import new_id
from tests.accounts.doors import call, post, stepped_up
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
FRESH_SECONDS = 200.0  # a proof of oneself is good for 300
# Who has left their tenant tries nothing else.
LEAVES = "/api/v1/auth/membership/"
schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))


@dataclass
class Caller:
    """Somebody of a role in a tier, what there is to ask for, and what must not be told."""

    sign_in: Callable[[], str] | None  # gives an `Authorization`; nobody in particular has none
    ids: dict[str, str]
    foreign: list[str]
    credential: str = ""
    since: float = -math.inf

    def headers(self, *, anew: bool = False) -> dict[str, str]:
        """A credential lives for minutes, a campaign for an hour."""
        if self.sign_in is None:
            return {}
        if anew or time.monotonic() - self.since > FRESH_SECONDS:
            self.since, self.credential = time.monotonic(), self.sign_in()
        return {"Authorization": self.credential}


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


class Callers:
    """People and keys by tier, and nobody in particular.

    No dataclass: with a case that fails hypothesis would print all that they must not be told.
    """

    def __init__(
        self, roles: dict[str, list[Caller]], keys: dict[str, list[Caller]], nobody: Caller
    ) -> None:
        self.roles, self.keys, self.nobody = roles, keys, nobody

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
        Caller(None, _ids(world, "starter"), _secrets(world.traders)),
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
        if case.operation.path == LEAVES and caller.sign_in:
            continue
        _with_real_ids(case, caller.ids)
        answer = _answer(case, caller.headers(), site, line)
        if _is_out(case, caller, answer):  # its last case may have logged it out
            answer = _answer(case, caller.headers(anew=True), site, line)
            assert not _is_out(case, caller, answer), answer.text
        told = f"{answer.content.decode(errors='replace')} {answer.headers}"
        assert not [secret for secret in caller.foreign if secret in told], case


def _answer(case: Any, headers: dict[str, str], site: Server, line: requests.Session) -> Any:
    given = {**headers, "X-Forwarded-For": anywhere()}
    return case.call_and_validate(base_url=site.url, headers=given, checks=CHECKS, session=line)


def _is_out(case: Any, caller: Caller, answer: Any) -> bool:
    """A credential was sent (some cases leave it out) and refused; under `auth/` so is a wrong
    password or code."""
    if caller.sign_in is None or "/auth/" in case.operation.path:
        return False
    was_sent = answer.request.headers.get("Authorization") == caller.credential
    return bool(was_sent and answer.status_code == 401)


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
    unseen = [t for t in world.traders if not _may_see(who, t.person, house)]
    if isinstance(who, KeyScope):
        sign_in = partial(_key, house.olga, who)
    else:
        sign_in = partial(_proven, _person(house, who))
    return Caller(sign_in, _ids(world, tier), _secrets(unseen))


def _proven(person: Person) -> str:
    """Of somebody who has just given both factors, whatever their tenant asks for by then."""
    now_on = int(time.time())
    grant = Grant(
        person.user_id,
        person.tenant.id,
        person.role,
        new_id(),
        has_second_factor=True,
        stepped_up_at=now_on,
    )
    return f"Bearer {credentials.issue(grant, now=now())}"


def _person(house: House, role: Role) -> Person:
    if role is Role.SUPPORT:
        email = f"{house.tenant.slug}@bulkhead.example"
        staff = users.ensure(email=email, password=PASSWORD, now=now(), is_staff=True)
        return Person("staff", staff.id, email, house.tenant, role)
    people = {Role.OWNER: house.olga, Role.TRADER: house.alice, Role.VIEWER: house.vera}
    return people.get(role) or build_person(house.tenant, role.value, role)


def _key(owner: Person, scope: KeyScope) -> str:
    """A new one; those that the fuzz has made make room where there are as many as may be."""
    body, credential = {"name": "fuzz", "scope": scope}, stepped_up(owner)
    made = post("api-keys/", body, credential=credential)
    if made.status_code == 409:
        for key in ApiKey.objects.filter(user_id=owner.user_id, revoked_at=None):
            assert call("DELETE", f"api-keys/{key.id}/", credential=credential).status_code == 204
        made = post("api-keys/", body, credential=credential)
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
