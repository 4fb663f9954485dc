"""What may be done with API keys; called inside the tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.access import policy
from accounts.access import queries as access
from accounts.access.errors import RoleOutOfReach
from accounts.access.models import Membership
from accounts.access.roles import KeyScope, Role
from accounts.audit import actions as audit
from accounts.tokens.errors import KeyRevoked, ScopeBeyondRole, TooManyKeys, UnknownAccount
from accounts.tokens.keys import digest, new_secret, shown
from accounts.tokens.models import ApiKey
from accounts.trail import actions as trail
from accounts.trail import echoes
from accounts.trail.echoes import Echo
from config.api.problems import NotFound
from tenants import afterwards
from tenants.context import Actor
from tenants.identity import Identity

AT_MOST = 100  # of one person in one tenant that are not revoked


@dataclass(frozen=True, slots=True)
class Issued:
    """A key, and its secret: shown this once."""

    key: ApiKey
    secret: str


def issue(
    *,
    by: Identity,
    name: str,
    scope: KeyScope,
    expires_at: datetime | None,
    account_id: UUID | None,
    addresses: list[str],
    now: datetime,
) -> Issued:
    """A key of the caller. `addresses` are networks in CIDR notation; none means any.

    Raises ScopeBeyondRole, UnknownAccount, TooManyKeys.
    """
    _check(by, scope, account_id)
    secret = new_secret()
    key = ApiKey.objects.create(
        tenant_id=by.tenant_id,
        user_id=by.user_id,
        name=name,
        prefix=shown(secret),
        digest=digest(secret),
        key_scope=scope.value,
        account_id=account_id,
        addresses=addresses,
        created_at=now,
        expires_at=expires_at,
    )
    audit.record("api_key.issued", on=key, after=_state(key))
    return Issued(key, secret)


def rotate(*, key_id: UUID, by: Identity) -> Issued:
    """A new secret for the caller's key; the old one is worth nothing from the commit on.

    Raises NotFound for anybody else's key, KeyRevoked.
    """
    rows = ApiKey.objects.filter(pk=key_id, tenant_id=by.tenant_id, user_id=by.user_id)
    key = rows.select_for_update().first()
    if key is None:
        raise NotFound
    if key.revoked_at:
        raise KeyRevoked
    secret, before = new_secret(), _state(key)
    key.prefix, key.digest = shown(secret), digest(secret)
    key.save(update_fields=["prefix", "digest"])
    audit.record("api_key.rotated", on=key, before=before, after=_state(key))
    return Issued(key, secret)


def revoke(*, key_id: UUID, by: Identity, now: datetime) -> None:
    """End a key of the caller's or of a member within reach; twice is no error.

    Raises NotFound, RoleOutOfReach.
    """
    rows = ApiKey.objects.filter(pk=key_id, tenant_id=by.tenant_id)
    key = rows.first()
    if key is None:
        raise NotFound
    members = Membership.objects.filter(tenant_id=by.tenant_id, user_id=key.user_id)
    role, is_own = members.values_list("role", flat=True).first(), key.user_id == by.user_id
    if role and not policy.may_revoke(access.hand(by), Role(role), is_own=is_own):
        raise RoleOutOfReach
    revoke_all(keys=rows, now=now)


def revoke_all(*, keys: QuerySet[ApiKey], now: datetime) -> int:
    """End those that are not revoked, from the commit on; gives how many."""
    ended = list(keys.filter(revoked_at=None).select_for_update())
    ApiKey.objects.filter(pk__in=[key.id for key in ended]).update(revoked_at=now)
    for key in ended:
        audit.record("api_key.revoked", on=key, before=_state(key))
    return len(ended)


def revoke_everywhere(*, keys: QuerySet[ApiKey], by: Actor, now: datetime) -> None:
    """End those that are not revoked, in all tenants; called on the platform, in a transaction.

    For what ends them from outside: the platform's trail, which the staff reads, names the key, and
    the tenants hear what it was. After the commit it looks again, for a key that was just issued.
    """
    again = partial(_revoke_everywhere, keys, by=by, now=now)
    afterwards.do(again)
    _revoke_everywhere(keys, by=by, now=now)


def _revoke_everywhere(keys: QuerySet[ApiKey], *, by: Actor, now: datetime) -> None:
    with transaction.atomic():
        ended = list(keys.filter(revoked_at=None).select_for_update())
        ApiKey.objects.filter(pk__in=[key.id for key in ended]).update(revoked_at=now)
        for key in ended:
            trail.record("api_key.revoked", by=by.name, on=key)
        told = [Echo(key.tenant_id, "api_key.revoked", key, before=_state(key)) for key in ended]
        echoes.tell(told, by=by)


def _check(by: Identity, scope: KeyScope, account_id: UUID | None) -> None:
    """Raises ScopeBeyondRole, UnknownAccount, TooManyKeys."""
    if not policy.may_issue(Role(by.role), scope):
        raise ScopeBeyondRole
    own = ApiKey.objects.filter(tenant_id=by.tenant_id, user_id=by.user_id, revoked_at=None)
    if own.count() >= AT_MOST:
        raise TooManyKeys
    if account_id is not None and not _is_within_reach(account_id):
        raise UnknownAccount


def _is_within_reach(account_id: UUID) -> bool:
    """Whether the caller's context sees the account: the walls of trading answer."""
    accounts = apps.get_model(settings.ACCOUNT_MODEL)
    return bool(accounts._default_manager.filter(pk=account_id).exists())


def _state(key: ApiKey) -> dict[str, object]:
    """What the trail keeps; `prefix` is what everybody may see."""
    return {
        "name": key.name,
        "prefix": key.prefix,
        "scope": key.key_scope,
        "account": key.account_id,
        "addresses": key.addresses,
        "expires_at": key.expires_at,
    }
