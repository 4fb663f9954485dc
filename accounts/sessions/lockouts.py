"""What a person's tenants hear when guessing at the person's secrets has begun to cost a wait."""

from __future__ import annotations

from uuid import UUID

from accounts.access import queries as access
from accounts.trail import refusals
from tenants import origin
from tenants.context import Actor, Scope, TenantContext

ACTION = "guesses.too_many"
_ACTOR = Actor.system("guesses")
BY = _ACTOR.name


def tell_tenants(*, user_id: UUID, address: str, because: str) -> None:
    """Into the trail of each, once an hour for a person and network. Raises ValkeyAway."""
    came_from = origin.address.set(address)
    try:
        for membership in access.memberships_of(user_id):
            if refusals.is_first(ACTION, membership.id, origin.network(address)):
                where = TenantContext(membership.tenant_id, _ACTOR, Scope.TENANT)
                _record(where, user_id, because=because)
    finally:
        origin.address.reset(came_from)


def _record(where: TenantContext, user_id: UUID, *, because: str) -> None:
    after = {"because": because}
    refusals.in_tenant(where, ACTION, kind="user", key=str(user_id), after=after)
