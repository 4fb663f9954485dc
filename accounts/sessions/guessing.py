"""Whoever has to show a secret may guess so often and no more."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.crypto import salted_hmac
from kombu.exceptions import OperationalError

from accounts.sessions import attempts, lockouts, tasks
from accounts.trail import refusals
from accounts.users.models import User
from config.api.errors import DomainError
from tenants import origin
from tenants.valkey import ValkeyAway

_log = logging.getLogger("bulkhead.guesses")


@contextmanager
def counted(
    *, account: str, address: str, wrong: tuple[type[DomainError], ...], forgives: bool = False
) -> Iterator[None]:
    """Run a check of secrets that raises one of `wrong` for a wrong one.

    `forgives`: success wipes out earlier failures. Only for who has shown all they have: else one
    secret in a thief's hands would buy any number of guesses at the other. The wrong one with which
    a wait begins goes on record. Raises TooManyAttempts, ValkeyAway.
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
        if reservation.begins_a_wait:
            _note(account, address=address, because=fault.code)
        raise
    except DomainError:  # refused for something else; a crash stays counted
        attempts.give_back(reservation)
        raise
    if forgives:
        attempts.forgive(reservation)
    else:
        attempts.give_back(reservation)


def _note(account: str, *, address: str, because: str) -> None:
    """Once an hour for each account and network, on the platform; its tenants hear of it too.

    Known and unknown take the same steps here: what differs is done by a worker.
    """
    mark = _mark(account)
    found = User.objects.filter(email=account.lower()).values_list("id", flat=True).first()
    if not refusals.is_first(lockouts.ACTION, mark, origin.network(address)):
        return
    said = {"because": because, "user": found}
    refusals.on_platform(lockouts.ACTION, by=lockouts.BY, kind="account", key=mark, after=said)
    try:
        tasks.tell_tenants.delay(str(found or ""), address, because)
    except OperationalError as fault:
        raise ValkeyAway(headers={"Retry-After": "2"}) from fault


def _mark(account: str) -> str:
    """Tells accounts apart in the log, and no email."""
    return salted_hmac("bulkhead guesses", account.casefold()).hexdigest()[:12]
