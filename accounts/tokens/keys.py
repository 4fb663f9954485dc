"""What an API key opens: looked up by its digest, held against its person's role of today."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, Subquery

from accounts.access.errors import InvalidCredential
from accounts.access.models import Membership
from accounts.access.roles import READERS, KeyScope, Role
from accounts.tokens import credentials
from accounts.tokens.models import ApiKey
from accounts.trail import refusals
from tenants import admission, origin, valkey
from tenants.context import Actor, Scope, TenantContext
from tenants.identity import Identity

PREFIX = "bk_"
_NOTED_EVERY = 60  # seconds
_SHOWN = 8  # characters of the secret that lists show
_FORM = re.compile(rf"{PREFIX}[\w-]{{43}}", re.ASCII)
_BY = "system:api-keys"
_MAPPED = IPv6Network("::ffff:0:0/96")
_FROM_ELSEWHERE = "another address"
_TOLD = {_FROM_ELSEWHERE: "This key is not good from this address."}


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

    The one query is for who has the form of a key and comes from an address that has room left:
    else TooManyRequests. A second factor that the tenant asks for binds the person's keys too, or
    they would be the way round it.
    """
    if not _FORM.fullmatch(secret):
        raise InvalidCredential
    admission.knock(address)
    key = _find(secret)
    if key is None:
        _note_unknown(secret, address=address)
        raise InvalidCredential
    fault = _fault_of(key, address=address, now=now)
    if fault:
        _note_refusal(key, fault, address=address)
        raise InvalidCredential(_TOLD.get(fault, ""))
    _note_use(key.id, now=now)
    return _identity(key)


def _find(secret: str) -> Any:
    """The key, with what its person is today; None for one that nobody has."""
    member = Membership.objects.filter(tenant=OuterRef("tenant"), user=OuterRef("user"))
    rows = ApiKey.objects.filter(digest=digest(secret)).annotate(
        role=Subquery(member.values("role")),
        sees_tenant=Subquery(member.values("sees_tenant")),
        asks_second_factor=F("tenant__policy__requires_second_factor"),
        is_person_active=F("user__is_active"),
        has_second_factor_since=F("user__authenticator__confirmed_at"),
    )
    return rows.first()


def _fault_of(key: Any, *, address: str, now: datetime) -> str:
    """Why a key that somebody has is no good; "" for a good one."""
    if key.revoked_at:
        return "revoked"
    if key.expires_at and key.expires_at <= now:
        return "expired"
    if key.role is None or not key.is_person_active:
        return "its person is no member"
    return "" if comes_from(address, key.addresses) else _FROM_ELSEWHERE


def _identity(key: Any) -> Identity:
    role = Role(key.role)
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


def _note_unknown(secret: str, *, address: str) -> None:
    """On the platform: whose it was nobody knows. What lists show of a key tells who had it."""
    if refusals.is_first("unknown key", origin.network(address)):
        refusals.on_platform("api_key.unknown", by=_BY, kind="apikey", key=shown(secret))


def _note_refusal(key: Any, fault: str, *, address: str) -> None:
    if not refusals.is_first("key", key.id, fault, origin.network(address)):
        return
    actor = Actor.key(key.id, key.user_id, key.account_id)
    where = TenantContext(key.tenant_id, actor, Scope.USER)
    refusals.in_tenant(where, "api_key.refused", on=key, after={"because": fault})


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
        caller = origin.plain(address)
    except ValueError:
        return False
    return any(caller in plain_network(network) for network in networks)


def plain_network(text: str) -> IPv4Network | IPv6Network:
    """A network of IPv4 addresses in IPv6 clothes (`::ffff:192.0.2.0/120`) is what it is.

    Raises ValueError for what is no network.
    """
    found = ip_network(text)
    if isinstance(found, IPv6Network) and found.subnet_of(_MAPPED):
        inner, length = found.network_address.ipv4_mapped, found.prefixlen - _MAPPED.prefixlen
        return IPv4Network(f"{inner}/{length}")
    return found
