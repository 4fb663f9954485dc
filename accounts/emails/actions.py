"""Whether an email is its account's: proven by a token that was mailed to it and comes back."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from kombu.exceptions import OperationalError

from accounts.emails import confirmations, tasks
from accounts.trail import actions as trail
from accounts.users.models import User
from tenants import afterwards, valkey
from tenants.context import Actor
from tenants.identity import Identity
from tenants.valkey import ValkeyAway

_MAILED_EVERY = 600  # seconds


def announce(user: User) -> None:
    """Have the link mailed to somebody who signs up, once that is committed."""
    send = partial(tasks.mail_confirmation.delay, str(user.pk))
    afterwards.do(send)


def announce_again(*, caller: Identity) -> None:
    """Have it mailed once more, every ten minutes at most. Raises ValkeyAway."""
    with valkey.needed() as client:
        is_due = client.set(f"emails:mailed:{caller.user_id}", 1, nx=True, ex=_MAILED_EVERY)
    if not is_due:
        return
    try:
        tasks.mail_confirmation.delay(str(caller.user_id))
    except OperationalError as fault:
        raise ValkeyAway(headers={"Retry-After": "2"}) from fault


def confirm(*, caller: Identity, token: str, now: datetime) -> None:
    """The mail's token, from who is signed in as the one it was mailed to; twice is no error.

    A mailbox alone is not enough: whoever reads there would confirm what a stranger has made of
    their address. Raises BadConfirmation.
    """
    user = User.objects.get(pk=caller.user_id)
    confirmations.check(token, user)
    prove(user_id=user.pk, how="confirmation", now=now)


def prove(*, user_id: UUID, how: str, now: datetime) -> bool:
    """Note that a token mailed to the person has come back; gives whether it is the first one."""
    with transaction.atomic():
        unproven = User.objects.filter(pk=user_id, email_proven_at=None)
        is_first = bool(unproven.update(email_proven_at=now))
        if is_first:
            by, key = Actor.user(user_id).name, str(user_id)
            trail.record("email.proven", by=by, kind="user", key=key, after={"how": how})
    return is_first
