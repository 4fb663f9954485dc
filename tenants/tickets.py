"""Tickets: the proof, checked by the database, that the application chose this tenant.

The MAC is HMAC-SHA256 (RFC 2104) over tenant, user, scope and time. The database holds the two
padded keys instead of the secret, so that it can verify with its built-in `sha256()` alone.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

BLOCK = 64  # bytes, SHA-256's block size
LIFETIME = 300  # seconds a ticket is good for, either way, to bear clocks that differ
MIN_SECRET = 32  # bytes


@dataclass(frozen=True, slots=True)
class Ticket:
    tenant_id: UUID
    user_id: UUID | None
    scope: str
    issued_at: int  # seconds since the epoch
    mac: bytes


def message(tenant_id: UUID, user_id: UUID | None, scope: str, issued_at: int) -> bytes:
    """The signed text; fields hold no `|`, so no two tickets share one."""
    return f"{tenant_id}|{user_id or ''}|{scope}|{issued_at}".encode()


def issue(
    secret: bytes, *, tenant_id: UUID, user_id: UUID | None, scope: str, now: float
) -> Ticket:
    """Sign a ticket. `now` is in seconds since the epoch."""
    issued_at = int(now)
    text = message(tenant_id, user_id, scope, issued_at)
    mac = hmac.digest(secret, text, "sha256")
    return Ticket(tenant_id, user_id, scope, issued_at, mac)


def pads(secret: bytes) -> tuple[bytes, bytes]:
    """The inner and outer padded key of RFC 2104. Raises ValueError for a short secret."""
    if len(secret) < MIN_SECRET:
        raise ValueError(f"the ticket secret needs {MIN_SECRET} bytes at least")
    key = hashlib.sha256(secret).digest() if len(secret) > BLOCK else secret
    key = key.ljust(BLOCK, b"\0")
    return bytes(b ^ 0x36 for b in key), bytes(b ^ 0x5C for b in key)


def proof_key(secret: bytes) -> bytes:
    """The key of the proof that `enter_tenant` leaves in the transaction for the policies."""
    return hmac.digest(secret, b"bulkhead transaction proof", "sha256")
