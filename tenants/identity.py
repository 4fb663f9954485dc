"""Who is calling, as established from a credential; what accounts tells the ground floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from tenants.context import Actor, Scope, TenantContext


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified credential: the person, the tenant it is good for, and how far it sees there.

    `session_id` is what can be ended: the log-in, the API key or the support session behind it.
    """

    user_id: UUID
    tenant_id: UUID
    role: str
    scope: Scope
    session_id: UUID
    actor: Actor
    key_scope: str | None = None  # of an API key: how much of the role it carries
    account_id: UUID | None = None  # of an API key: the only trading account it is good for
    expires_at: int = 0  # seconds since the epoch; 0 for a key, which is looked up each time
    is_read_only: bool = False
    has_second_factor: bool = False
    stepped_up_at: int = 0  # seconds since the epoch
    is_witnessed: bool = False  # every request of it is recorded before it is answered
    must_enrol: bool = False  # good for nothing but adding the second factor the tenant asks for

    def context(self) -> TenantContext:
        """The context in which this credential's requests run."""
        return TenantContext(self.tenant_id, self.actor, self.scope, self.is_read_only)

    def personal_context(self) -> TenantContext:
        """The same person on their own account: own rows alone, whatever the role sees or may."""
        return TenantContext(self.tenant_id, self.actor, Scope.USER)


def witness(caller: Identity, *, method: str, path: str, query: str = "") -> None:
    """Have accounts record what somebody who is only let in under watch is about to ask."""
    import_string(settings.TENANT_WITNESS)(caller, method=method, path=path, query=query)


def misdirected(caller: Identity, *, path: str) -> None:
    """Have accounts record that a credential was sent to another tenant's address."""
    import_string(settings.TENANT_MISDIRECTED)(caller, path=path)


Verifier = Callable[[str, str], Identity]


def verify(credential: str, *, address: str) -> Identity:
    """The identity behind an `Authorization` value sent from `address` (an IP address).

    Raises accounts' named errors.
    """
    return cast(Verifier, import_string(settings.TENANT_CREDENTIALS))(credential, address)
