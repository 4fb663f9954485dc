"""Access tokens: signed, short-lived, verified without a query."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import jwt
from django.conf import settings

from accounts.access.errors import InvalidCredential
from accounts.access.roles import READERS, Permission, Role, allows
from tenants.context import Actor, Scope
from tenants.identity import Identity

ALGORITHM = "HS256"
AUDIENCE = "bulkhead"
_CLAIMS = ["sub", "tenant", "role", "session", "iat", "exp"]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is issued for."""

    user_id: UUID
    tenant_id: UUID
    role: Role
    session_id: UUID
    sees_tenant: bool = False  # of a viewer: granted the whole tenant
    has_second_factor: bool = False
    stepped_up_at: int = 0  # seconds since the epoch
    must_enrol: bool = False  # the tenant asks for a second factor that the person has not yet


def issue(grant: Grant, *, now: datetime, until: datetime | None = None) -> str:
    """A signed JWT (RFC 7519), good for `ACCESS_TOKEN_SECONDS` and not past `until`.

    Its header names the key.
    """
    ends = now + timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)
    claims = {
        "sub": str(grant.user_id),
        "tenant": str(grant.tenant_id),
        "role": grant.role.value,
        "session": str(grant.session_id),
        "whole": grant.sees_tenant,
        "second": grant.has_second_factor,
        "stepped": grant.stepped_up_at,
        "enrol": grant.must_enrol,
        "aud": AUDIENCE,
        "iat": now,
        "exp": min(ends, until) if until else ends,
    }
    name, key = next(iter(_keys().items()))
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": name})


def identify(token: str) -> Identity:
    """The identity behind an access token. Raises InvalidCredential.

    What a token says never changes: it is read once, and from then on only its end is looked at.
    """
    identity = _read(token, _secrets())
    if identity.expires_at <= time.time():
        raise InvalidCredential
    return identity


@lru_cache(maxsize=4_096)
def _read(token: str, secrets: tuple[str, ...]) -> Identity:
    """The algorithm is ours, whatever the header says; its `kid` only picks among our keys.

    Raises InvalidCredential, each time anew: what is no token is not kept.
    """
    try:
        key = signing_keys(secrets).get(jwt.get_unverified_header(token).get("kid", ""))
        if key is None:
            raise InvalidCredential
        claims = jwt.decode(
            token, key, algorithms=[ALGORITHM], audience=AUDIENCE, options={"require": _CLAIMS}
        )
        role = Role(claims["role"])
        user_id = UUID(claims["sub"])
        acts = Actor.support if role is Role.SUPPORT else Actor.user
        return Identity(
            user_id=user_id,
            tenant_id=UUID(claims["tenant"]),
            role=role.value,
            scope=scope_of(role, sees_tenant=claims.get("whole") is True),
            session_id=UUID(claims["session"]),
            actor=acts(user_id),
            expires_at=int(claims["exp"]),
            is_read_only=role in READERS,
            is_witnessed=role is Role.SUPPORT,
            has_second_factor=claims.get("second") is True,
            stepped_up_at=int(claims.get("stepped") or 0),
            must_enrol=claims.get("enrol") is True,
        )
    except (
        jwt.InvalidTokenError,
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,  # of `Infinity`, which Python's JSON reads as a number
    ) as fault:
        raise InvalidCredential from fault


def scope_of(role: Role, *, sees_tenant: bool = False) -> Scope:
    """How far a role sees inside its tenant; a viewer as far as was granted."""
    granted = role is Role.VIEWER and sees_tenant
    whole = granted or allows(role, Permission.SEE_WHOLE_TENANT)
    return Scope.TENANT if whole else Scope.USER


def _keys() -> dict[str, bytes]:
    """The keys that may have signed a token, by name; the first one signs."""
    return signing_keys(_secrets())


def _secrets() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=4)
def signing_keys(secrets: tuple[str, ...]) -> dict[str, bytes]:
    """A key by name for each secret: one of its own, so that no other use can forge a token."""
    keys = (hmac.digest(secret.encode(), b"bulkhead access token", "sha256") for secret in secrets)
    return {hashlib.sha256(key).hexdigest()[:12]: key for key in keys}
