"""The one choke point: who acts, in which tenant, with which scope, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
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
# Aliases of the transactions that `enter` has opened, and will therefore bring to their end.
_opened: ContextVar[frozenset[str]] = ContextVar("tenant_transactions", default=frozenset())


class _Transaction:
    """What is known of an entered tenant's transaction."""

    is_kept = False


_transaction: ContextVar[_Transaction | None] = ContextVar("tenant_transaction", default=None)


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
    ours = _opened.set(_opened.get() if opened else _opened.get() | {using})
    begun = _transaction.set(_transaction.get() if opened else _Transaction())
    try:
        with transaction.atomic(using=using, savepoint=False, durable=not opened):
            yield context
            if not opened:
                _run_deferred(using)
    finally:
        _transaction.reset(begun)
        _opened.reset(ours)
        _current.reset(token)


def keep() -> None:
    """Have what the open transaction has done so far committed, even if the request is refused.

    For what is true whatever the answer. Whoever goes on does the rest inside a savepoint, which a
    refusal rolls back.
    """
    begun = _transaction.get()
    if begun is not None:
        begun.is_kept = True


def is_kept() -> bool:
    """Whether the open transaction holds something to keep."""
    begun = _transaction.get()
    return begun is not None and begun.is_kept


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


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, eq=False)
class _Deferred:
    """Something to be done before the commit, kept among what Django does after it.

    There a savepoint that is rolled back takes along what was asked for inside it.
    """

    act: Callable[[list[Any]], object]
    item: Any

    def __call__(self) -> None:
        """After the commit nothing is left to do."""


def before_commit(
    act: Callable[[list[Item]], object], item: Item, *, using: str = DEFAULT_DB_ALIAS
) -> None:
    """Hand `item` to `act` in the entered tenant's transaction, right before that commits.

    The items for one `act` come together, in the order in which they were given. Those of a
    savepoint that was rolled back are left out, and after a rollback nothing is called. What `act`
    raises rolls back everything. Raises NoTenantContext unless `enter` has opened the transaction.
    """
    if using not in _opened.get() or not connections[using].in_atomic_block:
        raise NoTenantContext("Nobody would call it: `context.enter` has opened no transaction.")
    transaction.on_commit(_Deferred(act, item), using=using)


def _run_deferred(using: str) -> None:
    """What was asked for, and then what that has asked for; nothing in what will be rolled back."""
    connection = connections[using]
    done: set[_Deferred] = set()
    while not connection.needs_rollback:
        asked = [entry[1] for entry in connection.run_on_commit]
        due = [act for act in asked if isinstance(act, _Deferred) and act not in done]
        if not due:
            return
        done |= set(due)
        for act in dict.fromkeys(deferred.act for deferred in due):
            act([deferred.item for deferred in due if deferred.act == act])
