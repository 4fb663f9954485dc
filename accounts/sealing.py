"""Secrets at rest: sealed with AES-256-GCM under keys that rotate, each for its own purpose.

A sealed value is: version (1 byte), name of the key (4), nonce (12), ciphertext with its tag. The
purpose (`totp:<user id>`) is authenticated but not stored: a value moved to another row stays shut.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

from config.api.errors import DomainError
from tenants import context
from tenants import queries as tenants
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import TenantSuspended, UnknownTenant
from tenants.ownership import TenantOwned

_ROTATION = Actor.system("rotate_sealed_secrets")
_VERSION = b"\x01"
_NAME, _NONCE, _KEY = 4, 12, 32  # bytes
_HEADER = len(_VERSION) + _NAME
_BATCH = 500  # rows


class Unsealable(DomainError):
    """A sealed value that does not open: a fault of the installation, never a request's."""

    code = "unsealable"
    status = 500
    title = "A sealed value does not open."


class SealingKeyMissing(Unsealable):
    code = "sealing_key_missing"
    title = "The key that sealed a value is not among the keys any more."


class SealBroken(Unsealable):
    code = "seal_broken"
    title = "A sealed value was changed, or sealed for another purpose."


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
    name, key = next(iter(_keys().items()))
    header, nonce = _VERSION + name, secrets.token_bytes(_NONCE)
    return header + nonce + AESGCM(key).encrypt(nonce, secret, header + purpose.encode())


def unseal(sealed: bytes | memoryview, *, purpose: str) -> bytes:
    """What was sealed for this purpose. Raises SealingKeyMissing or SealBroken."""
    value = bytes(sealed)
    if value[:1] != _VERSION or len(value) < _HEADER + _NONCE:
        raise SealBroken
    header, nonce, box = value[:_HEADER], value[_HEADER:][:_NONCE], value[_HEADER + _NONCE :]
    key = _keys().get(header[len(_VERSION) :])
    if key is None:
        raise SealingKeyMissing
    try:
        return AESGCM(key).decrypt(nonce, box, header + purpose.encode())
    except InvalidTag as fault:
        raise SealBroken from fault


def is_current(sealed: bytes | memoryview) -> bool:
    """Whether the first key sealed it."""
    return bytes(sealed)[:_HEADER] == _VERSION + next(iter(_keys()))


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


def _keys() -> dict[bytes, bytes]:
    """The keys by name; the first seals.

    Those derived from the secret keys open even beside explicit ones: with the first SEALING_KEYS
    nothing sealed before is lost.
    """
    secret_keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return _named(tuple(settings.SEALING_KEYS), secret_keys)


@lru_cache(maxsize=8)
def _named(keys: tuple[str, ...], secret_keys: tuple[str, ...]) -> dict[bytes, bytes]:
    derived = [hmac.digest(key.encode(), b"bulkhead sealing", "sha256") for key in secret_keys]
    given = [_key(text) for text in keys]
    return {hashlib.sha256(key).digest()[:_NAME]: key for key in (*given, *derived)}


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError as fault:
        raise SealingKeyUnfit from fault
    if len(key) != _KEY:
        raise SealingKeyUnfit
    return key
