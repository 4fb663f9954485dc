"""Keys that rotate: the first seals, all of them open; each value for its own purpose. Pure.

A sealed value is: version (1 byte), name of the key (4), nonce (12), ciphertext with its tag. The
purpose (`totp:<user id>`) is authenticated but not stored: a value moved elsewhere stays shut.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.api.errors import DomainError

_VERSION = b"\x01"
_NAME, _NONCE, _KEY = 4, 12, 32  # bytes
_HEADER = len(_VERSION) + _NAME


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


class KeyUnfit(ValueError):
    """A key that is not 32 bytes in hex."""


class Keyring:
    """AES-256-GCM under one of several keys, found by its name. Needs at least one."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = {hashlib.sha256(key).digest()[:_NAME]: key for key in keys}
        self._first = next(iter(self._keys))

    def seal(self, secret: bytes, *, purpose: str) -> bytes:
        """The secret under the first key, for this purpose only."""
        header, nonce = _VERSION + self._first, secrets.token_bytes(_NONCE)
        box = AESGCM(self._keys[self._first]).encrypt(nonce, secret, header + purpose.encode())
        return header + nonce + box

    def unseal(self, sealed: bytes | memoryview, *, purpose: str) -> bytes:
        """What was sealed for this purpose. Raises SealingKeyMissing or SealBroken."""
        value = bytes(sealed)
        if value[:1] != _VERSION or len(value) < _HEADER + _NONCE:
            raise SealBroken
        header, nonce, box = value[:_HEADER], value[_HEADER:][:_NONCE], value[_HEADER + _NONCE :]
        key = self._keys.get(header[len(_VERSION) :])
        if key is None:
            raise SealingKeyMissing
        try:
            return AESGCM(key).decrypt(nonce, box, header + purpose.encode())
        except InvalidTag as fault:
            raise SealBroken from fault

    def is_current(self, sealed: bytes | memoryview) -> bool:
        """Whether the first key sealed it."""
        return bytes(sealed)[:_HEADER] == _VERSION + self._first


def key_of(text: str) -> bytes:
    """A key as settings write it. Raises KeyUnfit."""
    try:
        key = bytes.fromhex(text)
    except ValueError as fault:
        raise KeyUnfit from fault
    if len(key) != _KEY:
        raise KeyUnfit
    return key
