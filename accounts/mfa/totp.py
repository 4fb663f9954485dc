"""Time-based one-time passwords (RFC 6238): which step a code belongs to. Pure."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from hmac import compare_digest

import pyotp

PERIOD = 30  # seconds
DIGITS = 6
WINDOW = 1  # steps before and after now: clocks differ, and people type
ISSUER = "Bulkhead"
_SECRET = 20  # bytes: what RFC 4226 recommends for HMAC-SHA-1


def new_secret() -> bytes:
    return secrets.token_bytes(_SECRET)


def shown(secret: bytes) -> str:
    """The secret as people type it into an authenticator: base32, without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, *, name: str) -> str:
    """What the QR code says (Google's Key URI Format)."""
    totp = pyotp.TOTP(shown(secret), digits=DIGITS, interval=PERIOD)
    return totp.provisioning_uri(name=name, issuer_name=ISSUER)


def step_at(now: datetime) -> int:
    """Whole periods since the epoch (RFC 6238, 4.2)."""
    return int(now.timestamp()) // PERIOD


def code_at(secret: bytes, step: int) -> str:
    """The code of one time step (RFC 4226, 5.3)."""
    return pyotp.HOTP(shown(secret), digits=DIGITS).at(step)


def step_of(secret: bytes, code: str, *, now: datetime) -> int | None:
    """The newest time step about now that has this code; None for a wrong one."""
    middle = step_at(now)
    steps = range(middle - WINDOW, middle + WINDOW + 1)
    given = code.encode()
    matching = [step for step in steps if compare_digest(code_at(secret, step).encode(), given)]
    return max(matching, default=None)
