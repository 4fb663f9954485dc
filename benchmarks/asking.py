"""Who asks for what: credentials and requests of the population's people."""

from __future__ import annotations

import time
from dataclasses import dataclass

import jwt

from accounts.access.roles import Role
from accounts.tokens.credentials import ALGORITHM, AUDIENCE, signing_keys
from benchmarks.contestants import Contestant
from benchmarks.population import USERS, tenant_id, user_id
from benchmarks.race import Case

_DAY = 24 * 60 * 60  # seconds; an hour of measuring outlives an access token
LIST = "/api/v1/orders/"


@dataclass(frozen=True, slots=True)
class Person:
    tenant: int
    person: int
    role: Role

    def token(self, secret: str) -> str:
        """An access token, as log-in gives it."""
        now = int(time.time())
        claims = {
            "sub": str(user_id(self.tenant, self.person)),
            "tenant": str(tenant_id(self.tenant)),
            "role": self.role.value,
            "session": str(user_id(self.tenant, self.person)),
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + _DAY,
        }
        ((name, key),) = signing_keys((secret,)).items()
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": name})

    def request(self, contestant: Contestant, path: str, query: str) -> dict[str, str]:
        return {
            "path": path,
            "query": query,
            "host": contestant.host.format(tenant=self.tenant),
            "token": self.token(contestant.environment["SECRET_KEY"]),
        }


def case(name: str, people: list[Person], path: str = LIST, query: str = "page_size=50") -> Case:
    """All these people ask for the same, one after the other."""
    return Case(name, lambda c: [person.request(c, path, query) for person in people])


def traders(tenants: range) -> list[Person]:
    """One of each tenant, who sees the own rows: scope `user`."""
    return [Person(number, number % USERS, Role.TRADER) for number in tenants]


def owners(tenants: range) -> list[Person]:
    """One of each tenant, who sees all its rows: scope `tenant`."""
    return [Person(number, number % USERS, Role.OWNER) for number in tenants]
