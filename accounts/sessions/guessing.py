"""Whoever has to show a secret may guess so often and no more."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.crypto import salted_hmac

from accounts.sessions import attempts
from config.api.errors import DomainError

_log = logging.getLogger("bulkhead.guesses")


@contextmanager
def counted(
    *, account: str, address: str, wrong: tuple[type[DomainError], ...], forgives: bool = False
) -> Iterator[None]:
    """Run a check of secrets that raises one of `wrong` for a wrong one.

    `forgives`: success wipes out earlier failures. Only for who has shown all they have: else one
    secret in a thief's hands would buy any number of guesses at the other. Raises TooManyAttempts.
    """
    try:
        reservation = attempts.reserve(account=account, address=address)
    except attempts.TooManyAttempts:
        _log.warning("a guess too many for %s from %s", _mark(account), address)
        raise
    try:
        yield
    except wrong as fault:
        _log.warning("%s for %s from %s", fault.code, _mark(account), address)
        raise
    except DomainError:  # refused for something else; a crash stays counted
        attempts.give_back(reservation)
        raise
    if forgives:
        attempts.forgive(reservation)
    else:
        attempts.give_back(reservation)


def _mark(account: str) -> str:
    """Tells accounts apart in the log, and no email."""
    return salted_hmac("bulkhead guesses", account.casefold()).hexdigest()[:12]
