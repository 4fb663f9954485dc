"""The cast: people with a part, each test's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
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

    @cached_property
    def token(self) -> str:
        grant = Grant(self.user_id, self.tenant.id, self.role, new_id())
        return credentials.issue(grant, now=now())

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

    tenant: Tenant
    alice: Person
    bob: Person
    olga: Person
    vera: Person
    mallory: Person


def build_tenant(tier: str = "starter") -> Tenant:
    slug = f"t{uuid4().hex[:12]}"
    return lifecycle.create_tenant(slug=slug, name=slug, tier=tier, now=now())


def build_person(tenant: Tenant, name: str, role: Role = Role.TRADER) -> Person:
    email = f"{name}@{tenant.slug}.example"
    user = users.ensure(email=email, password=PASSWORD, now=now())
    access.ensure_member(tenant=tenant, user=user, role=role, now=now())
    return Person(name, user.id, email, tenant, role)


def build_house(tier: str) -> House:
    tenant = build_tenant(tier)
    return House(
        tenant=tenant,
        alice=build_person(tenant, "alice"),
        bob=build_person(tenant, "bob"),
        olga=build_person(tenant, "olga", Role.OWNER),
        vera=build_person(tenant, "vera", Role.VIEWER),
        mallory=build_person(build_tenant(tier), "mallory"),
    )


def job(tenant: Tenant, name: str = "test") -> Any:
    """The context of a named job of the platform in a tenant."""
    return context.enter(TenantContext(tenant.id, Actor.system(name), Scope.TENANT))


def _encoded(extra: dict[str, Any]) -> dict[str, Any]:
    if "data" in extra and not isinstance(extra["data"], str | bytes):
        extra["data"] = json.dumps(extra["data"])
    return extra
