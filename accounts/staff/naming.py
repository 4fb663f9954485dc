"""How the staff stands in trails."""

from __future__ import annotations

from accounts.users.models import User
from tenants.context import Actor

_LONGEST = 100  # characters: with what stands before it, it is an actor's name


def actor_of(person: User) -> Actor:
    """By email, as a part of the system: a tenant's own trail takes its people and the system."""
    return Actor.system(f"staff:{person.email}"[:_LONGEST])
