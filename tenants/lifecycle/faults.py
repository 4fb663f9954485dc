"""What is said of a fault where operators look."""

from __future__ import annotations

from config.api.errors import DomainError

LONGEST = 200  # characters


def sentence(fault: Exception) -> str:
    """A code and our own words: what a server says may hold secrets, and stays in the log."""
    if isinstance(fault, DomainError):
        return f"{fault.code}: {fault.detail}"[:LONGEST]
    return f"internal: {type(fault).__name__}"[:LONGEST]
