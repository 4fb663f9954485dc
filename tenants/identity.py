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
    """A verified credential: the person, the tenant it is good for, and how far it sees there."""

    user_id: UUID
    tenant_id: UUID
    role: str
    scope: Scope
    session_id: str

    def context(self) -> TenantContext:
        """The context in which this person's requests run."""
        return TenantContext(self.tenant_id, Actor.user(self.user_id), self.scope)


Verifier = Callable[[str], Identity]


def verify(credential: str) -> Identity:
    """The identity behind an `Authorization` value. Raises accounts' named errors."""
    return cast(Verifier, import_string(settings.TENANT_CREDENTIALS))(credential)
