"""Whoever has to show a secret may guess so often and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.sessions import attempts
from config.api.errors import DomainError


@contextmanager
def counted(
    *, account: str, address: str, wrong: tuple[type[DomainError], ...], forgives: bool = False
) -> Iterator[None]:
    """Run a check of secrets that raises one of `wrong` for a wrong one.

    `forgives`: success wipes out earlier failures. Only for who has shown all they have: else one
    secret in a thief's hands would buy any number of guesses at the other. Raises TooManyAttempts.
    """
    reservation = attempts.reserve(account=account, address=address)
    try:
        yield
    except wrong:
        raise
    except DomainError:  # refused for something else; a crash stays counted
        attempts.give_back(reservation)
        raise
    if forgives:
        attempts.forgive(reservation)
    else:
        attempts.give_back(reservation)
