"""The one choke point: who acts, in which tenant, with which scope, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from tenants.errors import NoTenantContext, TenantAlreadyEntered


class Scope(StrEnum):
    """How far an actor sees inside the tenant."""

    USER = "user"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, a person's API key, the platform's staff, or a job with a name.

    `user_id` is the person behind it; a job has none. There is no default actor.
    `account_id` is set for a key that is good for one trading account only.
    """

    name: str
    user_id: UUID | None = None
    account_id: UUID | None = None

    @classmethod
    def user(cls, user_id: UUID) -> Actor:
        return cls(name=f"user:{user_id}", user_id=user_id)

    @classmethod
    def key(cls, key_id: UUID, user_id: UUID, account_id: UUID | None = None) -> Actor:
        return cls(name=f"key:{key_id}", user_id=user_id, account_id=account_id)

    @classmethod
    def support(cls, user_id: UUID) -> Actor:
        return cls(name=f"support:{user_id}", user_id=user_id)

    @classmethod
    def system(cls, name: str) -> Actor:
        return cls(name=f"system:{name}")


@dataclass(frozen=True, slots=True)
class TenantContext:
    """Where the code is running. Raises ValueError for scope `user` without a person.

    The transaction of a context that `is_read_only` is one to PostgreSQL too: it refuses to write.
    """

    tenant_id: UUID
    actor: Actor
    scope: Scope
    is_read_only: bool = False

    def __post_init__(self) -> None:
        if self.scope is Scope.USER and self.actor.user_id is None:
            raise ValueError("scope 'user' needs an actor with a user_id")


_current: ContextVar[TenantContext | None] = ContextVar("tenant_context", default=None)


def current() -> TenantContext | None:
    """The context of this thread or asyncio task, if a tenant has been entered."""
    return _current.get()


def require() -> TenantContext:
    """The context. Raises NoTenantContext outside a tenant."""
    context = _current.get()
    if context is None:
        raise NoTenantContext("Enter a tenant first: `with context.enter(TenantContext(…)):`")
    return context


@contextmanager
def enter(context: TenantContext, *, using: str = DEFAULT_DB_ALIAS) -> Iterator[TenantContext]:
    """Open the tenant's transaction: BEGIN carries the ticket, with the first statement.

    Entering the same context again joins the open transaction. Raises TenantAlreadyEntered inside
    another context, or inside a transaction that was opened without a tenant.
    """
    outer = _current.get()
    if outer not in (None, context):
        raise TenantAlreadyEntered("One tenant and one actor per transaction: leave it first.")
    opened = connections[using].in_atomic_block
    if opened and outer is None:
        raise TenantAlreadyEntered("A transaction is open here without a tenant: close it first.")
    token = _current.set(context)
    try:
        with transaction.atomic(using=using, savepoint=False, durable=not opened):
            yield context
    finally:
        _current.reset(token)


@contextmanager
def carried(context: TenantContext) -> Iterator[TenantContext]:
    """Name the context without touching a database: for caches, logs, tasks and sockets."""
    outer = _current.get()
    if outer not in (None, context):
        raise TenantAlreadyEntered("One tenant and one actor at a time: leave it first.")
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
