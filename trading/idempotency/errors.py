"""What the room of idempotency says no to, by code."""

from trading.errors import Refused


class IdempotencyKeyReused(Refused):
    code = "idempotency_key_reused"
    title = "This Idempotency-Key came with another request before."
