"""Who calls, from the same token: the cheapest way to give the packages what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from accounts.tokens.credentials import identify
from tenants import door, origin
from tenants.identity import Identity
from tenants.slots import Slot

_PLENTY = 1_000_000_000  # a minute: as for Bulkhead, whose plans limit nothing here


@dataclass(frozen=True, slots=True)
class TenantName:
    """`request.tenant` for django-rls, without a query."""

    id: UUID


@dataclass(frozen=True, slots=True)
class Caller:
    """`request.user`: django-rls reads `id`, django-rls-tenants the rest."""

    identity: Identity
    is_authenticated: bool = True
    is_tenant_admin: bool = False

    @property
    def id(self) -> UUID:
        return self.identity.user_id

    @property
    def rls_tenant_id(self) -> UUID:
        return self.identity.tenant_id


class CallerMiddleware:
    """Verifies the token, asks at the same door, and sets `user`, and `tenant` for a plain host."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.identity = caller = identify(request.headers["Authorization"].partition(" ")[2])
        slot = Slot(caller.tenant_id)
        room = _room(caller, slot, origin.of(request))
        request.user = Caller(caller)
        if not hasattr(request, "tenant"):
            request.tenant = TenantName(caller.tenant_id)
        response = self.get_response(request)
        response.setdefault("Cache-Control", "private, no-store")
        for name, value in room.headers().items():
            response.setdefault(name, value)
        slot.leave(response.status_code)
        return response


def _room(caller: Identity, slot: Slot, address: str) -> door.Room:
    """Bulkhead's own question, with as many buckets, and a slot: to the same Valkey."""
    tenant = f"rate:tenant:{caller.tenant_id}"
    buckets = (f"rate:address:{origin.network(address)}", tenant)
    answer = door.ask(
        tenant_id=caller.tenant_id,
        session_id=caller.session_id,
        buckets=dict.fromkeys(buckets, _PLENTY),
        shares={f"{tenant}:{caller.user_id}": _PLENTY},
        is_data=True,
        is_counted=True,
        place=door.Place(slot, _PLENTY, _PLENTY),
    )
    assert answer.verdict == "welcome", answer.verdict
    slot.hold(pace=_PLENTY, reserved=answer.millis)
    return answer.room
