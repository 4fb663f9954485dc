"""Secrets at rest: sealed under keys that rotate, each for its own purpose; see `keyring`."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import models

from accounts.keyring import (
    Keyring,
    KeyUnfit,
    SealBroken,
    SealingKeyMissing,
    Unsealable,
    key_of,
)
from config.api.errors import DomainError
from tenants import context
from tenants import queries as tenants
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantSuspended, UnknownTenant
from tenants.ownership import TenantOwned

__all__ = [
    "SealBroken",
    "SealingKeyMissing",
    "SealingKeyUnfit",
    "Unsealable",
    "is_current",
    "register",
    "reseal_everything",
    "seal",
    "unseal",
]

_ROTATION = Actor.system("rotate_sealed_secrets")
_BATCH = 500  # rows


class SealingKeyUnfit(DomainError):
    code = "sealing_key_unfit"
    status = 500
    title = "SEALING_KEYS takes keys of 32 bytes, in hex."


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values, and what each row's is sealed for; null holds none.

    In a tenant-owned table rows are reached tenant by tenant, each inside itself.
    """

    model: type[models.Model]
    column: str
    purpose: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Resealing:
    """What a rotation found; `changed` are rows that somebody else wrote meanwhile.

    `unreached` are tenants whose rows could not be looked at, because they may not be entered.
    """

    seen: int = 0
    resealed: int = 0
    changed: int = 0
    shut: int = 0  # rows that no key opens
    unreached: int = 0

    def __add__(self, other: Resealing) -> Resealing:
        return Resealing(*(getattr(self, n) + getattr(other, n) for n in self.__slots__))


_columns: dict[tuple[str, str], SealedColumn] = {}


def seal(secret: bytes, *, purpose: str) -> bytes:
    """The secret under the first key, for this purpose only."""
    return _ring().seal(secret, purpose=purpose)


def unseal(sealed: bytes | memoryview, *, purpose: str) -> bytes:
    """What was sealed for this purpose. Raises SealingKeyMissing or SealBroken."""
    return _ring().unseal(sealed, purpose=purpose)


def is_current(sealed: bytes | memoryview) -> bool:
    """Whether the first key sealed it."""
    return _ring().is_current(sealed)


def register(model: type[models.Model], column: str, *, purpose: Callable[[Any], str]) -> None:
    """Have rotation find this column; each room says so beside its model."""
    _columns[model._meta.label, column] = SealedColumn(model, column, purpose)


def reseal_everything(*, dry_run: bool = False) -> dict[str, Resealing]:
    """Put everything sealed under the first key; gives what was found, by column."""
    return {
        f"{label}.{column}": _reseal(sealed, dry_run=dry_run)
        for (label, column), sealed in sorted(_columns.items())
    }


def _reseal(where: SealedColumn, *, dry_run: bool) -> Resealing:
    if not issubclass(where.model, TenantOwned):
        return _reseal_rows(where, dry_run=dry_run)
    found = Resealing()
    for tenant_id in tenants.ids():
        try:
            with context.enter(TenantContext(tenant_id, _ROTATION, Scope.TENANT)):
                found += _reseal_rows(where, dry_run=dry_run)
        except (TenantSuspended, UnknownTenant):
            found += Resealing(unreached=1)
    return found


def _reseal_rows(where: SealedColumn, *, dry_run: bool) -> Resealing:
    seen = resealed = changed = shut = 0
    for row in _rows(where):
        seen += 1
        old = bytes(getattr(row, where.column))
        if is_current(old):
            continue
        purpose = where.purpose(row)
        try:
            fresh = seal(unseal(old, purpose=purpose), purpose=purpose)
        except Unsealable:
            shut += 1
            continue
        done = dry_run or _replace(where, row, old, fresh)
        resealed, changed = resealed + done, changed + (not done)
    return Resealing(seen, resealed, changed, shut)


def _rows(where: SealedColumn) -> Iterator[models.Model]:
    """All rows by key, in batches: no cursor stays open, and a second run starts from the front."""
    rows = where.model._default_manager.exclude(**{where.column: None}).order_by("pk")
    batch = list(rows[:_BATCH])
    while batch:
        yield from batch
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:_BATCH])


def _replace(where: SealedColumn, row: models.Model, old: bytes, fresh: bytes) -> bool:
    """Compare and set: what its owner has replaced meanwhile stays as the owner wrote it."""
    rows = where.model._default_manager.filter(pk=row.pk, **{where.column: old})
    return bool(rows.update(**{where.column: fresh}))


def _ring() -> Keyring:
    """The keys; the first seals.

    Those derived from the secret keys open even beside explicit ones: with the first SEALING_KEYS
    nothing sealed before is lost.
    """
    secret_keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return _named(tuple(settings.SEALING_KEYS), secret_keys)


@lru_cache(maxsize=8)
def _named(keys: tuple[str, ...], secret_keys: tuple[str, ...]) -> Keyring:
    derived = [hmac.digest(key.encode(), b"bulkhead sealing", "sha256") for key in secret_keys]
    try:
        given = [key_of(text) for text in keys]
    except KeyUnfit as fault:
        raise SealingKeyUnfit from fault
    return Keyring([*given, *derived])
