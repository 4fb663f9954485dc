"""Access tokens: signed, short-lived, verified without a query."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import jwt
from django.conf import settings

from accounts.access.roles import Permission, Role, allows
from accounts.tokens.errors import InvalidCredential
from tenants.context import Scope
from tenants.identity import Identity

ALGORITHM = "HS256"
AUDIENCE = "bulkhead"


def issue(*, user_id: UUID, tenant_id: UUID, role: Role, session_id: UUID, now: datetime) -> str:
    """A signed JWT (RFC 7519), good for `ACCESS_TOKEN_SECONDS`."""
    claims = {
        "sub": str(user_id),
        "tenant": str(tenant_id),
        "role": role.value,
        "session": str(session_id),
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + timedelta(seconds=settings.ACCESS_TOKEN_SECONDS),
    }
    return jwt.encode(claims, settings.SECRET_KEY, algorithm=ALGORITHM)


def identify(authorization: str) -> Identity:
    """The identity behind `Authorization: Bearer …`. Raises InvalidCredential."""
    kind, _, token = authorization.partition(" ")
    if kind.lower() != "bearer":
        raise InvalidCredential("Use `Authorization: Bearer <access token>`.")
    try:
        claims = jwt.decode(
            token.strip(),
            settings.SECRET_KEY,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            options={"require": ["sub", "tenant", "role", "session", "exp"]},
        )
        role = Role(claims["role"])
        return Identity(
            user_id=UUID(claims["sub"]),
            tenant_id=UUID(claims["tenant"]),
            role=role.value,
            scope=scope_of(role),
            session_id=claims["session"],
        )
    except (jwt.InvalidTokenError, ValueError) as fault:
        raise InvalidCredential from fault


def scope_of(role: Role) -> Scope:
    """How far a role sees inside its tenant."""
    return Scope.TENANT if allows(role, Permission.SEE_WHOLE_TENANT) else Scope.USER
