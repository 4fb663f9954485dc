"""Recovery codes: ten, each good once, easy to copy by hand. Pure."""

from __future__ import annotations

import hashlib
import secrets

COUNT = 10
_LENGTH, _GROUP = 16, 4  # characters: 80 bits
# Crockford's base 32: no letter looks like a digit.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_MISREAD = str.maketrans("oil", "011")


def new_codes() -> list[str]:
    """As they are shown, once: `0123-4567-89ab-cdef`."""
    return [_new_code() for _ in range(COUNT)]


def digest(code: str) -> bytes:
    """SHA-256 of the code as it was meant, whatever its case, dashes and blanks.

    That is enough for 80 random bits.
    """
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(plain.translate(_MISREAD).encode()).digest()


def _new_code() -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(letters[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))
