"""What an API key opens: looked up by its digest, held against its person's role of today."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from ipaddress import ip_address, ip_network
from uuid import UUID

from django.db.models import F, OuterRef, Subquery

from accounts.access.errors import InvalidCredential
from accounts.access.models import Membership
from accounts.access.roles import READERS, KeyScope, Role
from accounts.tokens import credentials
from accounts.tokens.models import ApiKey
from tenants import valkey
from tenants.context import Actor
from tenants.identity import Identity

PREFIX = "bk_"
_NOTED_EVERY = 60  # seconds
_SHOWN = 8  # characters of the secret that lists show


def new_secret() -> str:
    """32 random bytes behind the prefix that secret scanners look for."""
    return PREFIX + secrets.token_urlsafe(32)


def shown(secret: str) -> str:
    """What a person recognises the key by."""
    return secret[: len(PREFIX) + _SHOWN]


def digest(secret: str) -> bytes:
    """SHA-256: enough for 32 random bytes, and quick."""
    return hashlib.sha256(secret.encode()).digest()


def identify(secret: str, *, address: str, now: datetime) -> Identity:
    """The identity behind a key. Raises InvalidCredential for whatever is wrong with it.

    A second factor that the tenant asks for binds the person's keys too, or they would be the way
    round it.
    """
    member = Membership.objects.filter(tenant=OuterRef("tenant"), user=OuterRef("user"))
    key = (
        ApiKey.objects.filter(digest=digest(secret), revoked_at=None, user__is_active=True)
        .annotate(
            role=Subquery(member.values("role")),
            sees_tenant=Subquery(member.values("sees_tenant")),
            asks_second_factor=F("tenant__policy__requires_second_factor"),
            has_second_factor_since=F("user__authenticator__confirmed_at"),
        )
        .first()
    )
    if key is None or key.role is None or (key.expires_at and key.expires_at <= now):
        raise InvalidCredential
    if not comes_from(address, key.addresses):
        raise InvalidCredential("This key is not good from this address.")
    role = Role(key.role)
    _note_use(key.id, now=now)
    return Identity(
        user_id=key.user_id,
        tenant_id=key.tenant_id,
        role=role.value,
        scope=credentials.scope_of(role, sees_tenant=key.sees_tenant),
        session_id=key.id,
        actor=Actor.key(key.id, key.user_id, key.account_id),
        key_scope=key.key_scope,
        account_id=key.account_id,
        is_read_only=role in READERS or key.key_scope == KeyScope.READ,
        must_enrol=bool(key.asks_second_factor and not key.has_second_factor_since),
    )


def _note_use(key_id: UUID, *, now: datetime) -> None:
    """Once a minute, so that a busy key is not a busy row. Raises ValkeyAway.

    On the platform, before the tenant's transaction, which may be a read-only one.
    """
    with valkey.needed() as client:
        is_first = client.set(f"keys:used:{key_id}", 1, nx=True, ex=_NOTED_EVERY)
    if is_first:
        ApiKey.objects.filter(pk=key_id).update(last_used_at=now)


def comes_from(address: str, networks: list[str]) -> bool:
    """Whether an address lies in one of the networks; any does where none is named."""
    if not networks:
        return True
    try:
        caller = ip_address(address)
    except ValueError:
        return False
    return any(caller in ip_network(network) for network in networks)
