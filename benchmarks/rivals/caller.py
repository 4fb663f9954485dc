"""Who calls, from the same token: the cheapest way to give the packages what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from accounts.tokens.credentials import identify
from tenants.identity import Identity


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
    """Verifies the token and sets `user`, and `tenant` unless the host has said it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.identity = caller = identify(request.headers["Authorization"].partition(" ")[2])
        request.user = Caller(caller)
        if not hasattr(request, "tenant"):
            request.tenant = TenantName(caller.tenant_id)
        response = self.get_response(request)
        response.setdefault("Cache-Control", "private, no-store")
        return response
