"""DRF's view of the caller: what the middleware has already established."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from tenants.identity import Identity


@dataclass(frozen=True, slots=True)
class Caller:
    """`request.user` in API views; built from the token, without a query."""

    identity: Identity
    is_authenticated: bool = True
    is_active: bool = True

    @property
    def pk(self) -> UUID:
        return self.identity.user_id


class TenantAuthentication(BaseAuthentication):
    """Hands on the identity that `TenantMiddleware` verified."""

    def authenticate(self, request: Request) -> tuple[Caller, Identity] | None:
        identity = getattr(request._request, "identity", None)
        return (Caller(identity), identity) if identity else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


# The package enters its subclasses into a list, by a hook without types.
class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names it."""

    target_class = TenantAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
