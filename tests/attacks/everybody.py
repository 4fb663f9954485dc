"""One of each who may ask: nobody, a member of each role, support, and keys of each scope."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from accounts.access.roles import MEMBERS, KeyScope, Role
from tenants.models import Tenant
from tests.attacks.wire import bearer, call, session, stepped_up
from tests.cast import Person, build_person, build_tenant
from tests.web import Server


@dataclass(frozen=True)
class Everybody:
    """Of one tenant: the `Authorization` of each, and where it takes one, their access token."""

    tenant: Tenant
    credentials: dict[str, str]
    people: dict[str, Person]

    @property
    def prefix(self) -> str:
        return f"/t/{self.tenant.slug}"

    def unproven(self, who: str) -> str:
        """The same without a fresh proof."""
        return bearer(self.people[who])


def made(site: Server, tier: str) -> Everybody:
    tenant = build_tenant(tier)
    people = {role.value: build_person(tenant, role.value, role) for role in MEMBERS}
    owner = people[Role.OWNER.value]
    people[Role.SUPPORT.value] = Person("staff", owner.user_id, "", tenant, Role.SUPPORT)
    by = {name: stepped_up(person) for name, person in people.items()}
    keys = {f"key:{scope}": _key(site, stepped_up(owner), scope) for scope in KeyScope}
    return Everybody(tenant, {"anonymous": "", **by, **keys}, people)


def throwaway(site: Server, tenant: Tenant, role: str) -> str:
    """The `Authorization` of a session that really stands, of somebody whom nobody misses."""
    person = build_person(tenant, f"{role}{uuid4().hex[:8]}", Role(role))
    return f"Bearer {session(site, person)['access']}"


def _key(site: Server, owner: str, scope: KeyScope) -> str:
    body = {"name": scope.value, "scope": scope.value}
    answer = call(site, "POST", "api-keys/", body, credential=owner)
    assert answer.status == 201, answer.text
    return f"Api-Key {answer.json()['key']}"
