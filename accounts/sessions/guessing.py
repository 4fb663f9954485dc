"""Whoever has to show a secret may guess so often and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.sessions import attempts
from config.api.errors import DomainError


@contextmanager
def counted(
    *, account: str, address: str, wrong: type[DomainError], forgives: bool = False
) -> Iterator[None]:
    """Run a check of a secret that raises `wrong` for a wrong one.

    `forgives`: success wipes out earlier failures. Only for who has shown all they have: else one
    secret in a thief's hands would buy any number of guesses at the other. Raises TooManyAttempts.
    """
    attempts.check(account=account, address=address)
    try:
        yield
    except wrong:
        attempts.failed(account=account, address=address)
        raise
    if forgives:
        attempts.succeeded(account=account, address=address)
