"""The cast: people with a part, each test's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from typing import Any
from uuid import UUID, uuid4

from django.test import Client

from accounts.access.roles import Role
from accounts.members import actions as access
from accounts.tokens import credentials
from accounts.tokens.credentials import Grant
from accounts.users import actions as users
from tenants import context
from tenants.context import Actor, Scope, TenantContext
from tenants.identifiers import new_id
from tenants.lifecycle import actions as lifecycle
from tenants.models import Tenant

PASSWORD = "Correct-horse-7"
_TOKEN_KEPT = timedelta(minutes=5)


def now() -> datetime:
    return datetime.now(UTC)


def anywhere() -> str:
    """An IPv6 address that nobody has used: guesses are counted by address."""
    return str(ip_address(0x2001_0DB8 << 96 | uuid4().int >> 32))


@dataclass(frozen=True)
class Person:
    """A member of a tenant, signed in."""

    name: str
    user_id: UUID
    email: str
    tenant: Tenant
    role: Role

    @property
    def token(self) -> str:
        """Of one session; a new one before the last runs out, for those who live a whole run."""
        issued, token = self._last_token
        if now() - issued > _TOKEN_KEPT:
            grant = Grant(self.user_id, self.tenant.id, self.role, self._session)
            token = credentials.issue(grant, now=now())
            self.__dict__["_last_token"] = (now(), token)  # as a cached property keeps it
        return token

    @cached_property
    def _session(self) -> UUID:
        return new_id()

    @cached_property
    def _last_token(self) -> tuple[datetime, str]:
        return datetime.min.replace(tzinfo=UTC), ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def inside(self) -> Any:
        """The context in which this person's requests run."""
        return context.enter(credentials.identify(self.token).context())

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """An in-process request through every middleware; `path` follows `/api/v1/`."""
        extra = {} if body is None else {"data": body, "content_type": "application/json"}
        client = Client(raise_request_exception=False)
        return client.generic(
            method,
            f"/api/v1/{path}",
            **_encoded(extra),
            headers={**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}},
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.request("POST", path, body, **headers)


@dataclass(frozen=True)
class House:
    """One tenant with its people, and a stranger from another tenant of the same tier."""

    tier: str
    tenant: Tenant
    alice: Person
    bob: Person
    olga: Person
    vera: Person

    @property
    def tenants(self) -> list[Tenant]:
        """Those that have been made."""
        is_met = "mallory" in self.__dict__
        return [self.tenant, self.mallory.tenant] if is_met else [self.tenant]

    @cached_property
    def mallory(self) -> Person:
        """Made when somebody asks, outside of any tenant: most tests do without."""
        return build_person(build_tenant(self.tier), "mallory")


def build_tenant(tier: str = "starter") -> Tenant:
    slug = f"t{uuid4().hex[:12]}"
    return lifecycle.create_tenant(slug=slug, name=slug, tier=tier, by="system:test", now=now())


def build_person(tenant: Tenant, name: str, role: Role = Role.TRADER) -> Person:
    email = f"{name}@{tenant.slug}.example"
    user = users.ensure(email=email, password=PASSWORD, now=now())
    access.ensure_member(tenant=tenant, user=user, role=role, by="system:test", now=now())
    return Person(name, user.id, email, tenant, role)


def build_house(tier: str) -> House:
    tenant = build_tenant(tier)
    return House(
        tier=tier,
        tenant=tenant,
        alice=build_person(tenant, "alice"),
        bob=build_person(tenant, "bob"),
        olga=build_person(tenant, "olga", Role.OWNER),
        vera=build_person(tenant, "vera", Role.VIEWER),
    )


def build_whole_house(tier: str) -> House:
    """With its stranger, for coroutines: they cannot make her where they meet her."""
    house = build_house(tier)
    assert house.mallory
    return house


def job(tenant: Tenant, name: str = "test") -> Any:
    """The context of a named job of the platform in a tenant."""
    return context.enter(TenantContext(tenant.id, Actor.system(name), Scope.TENANT))


def _encoded(extra: dict[str, Any]) -> dict[str, Any]:
    if "data" in extra and not isinstance(extra["data"], str | bytes):
        extra["data"] = json.dumps(extra["data"])
    return extra
