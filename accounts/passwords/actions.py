"""Changing a password, and getting a new one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.db.models import QuerySet
from kombu.exceptions import OperationalError

from accounts.access.models import Membership
from accounts.emails import actions as emails
from accounts.mfa import actions as mfa
from accounts.passwords import resets, tasks
from accounts.passwords.errors import BadResetToken
from accounts.sessions import attempts, ending, guessing
from accounts.sessions.models import Session
from accounts.support import actions as support
from accounts.support.models import SupportSession
from accounts.tokens import actions as keys
from accounts.tokens.models import ApiKey
from accounts.trail import actions as trail
from accounts.trail import echoes
from accounts.trail.echoes import Echo
from accounts.users import passwords
from accounts.users.errors import WrongPassword
from accounts.users.models import User
from tenants import origin
from tenants.context import Actor
from tenants.identity import Identity
from tenants.valkey import ValkeyAway


def change_password(
    *, caller: Identity, current: str, new: str, address: str, now: datetime
) -> None:
    """A new password; every other session of the person ends, in all tenants at once.

    Raises UnfitPassword, WrongPassword, TooManyAttempts, ValkeyAway.
    """
    user = User.objects.get(pk=caller.user_id)
    passwords.keep_the_rules(new, field="new", user=user)
    forgives = not mfa.has_authenticator(user.id)
    with guessing.counted(
        account=user.email, address=address, wrong=(WrongPassword,), forgives=forgives
    ):
        others = Session.objects.filter(user=user).exclude(pk=caller.session_id)
        right = check_password(current, user.password)
        if not (right and _replace(user, new, how="changed", ends=others, now=now)):
            raise WrongPassword


def ask_for_reset(*, email: str, address: str) -> None:
    """Have a link mailed to the person with this email, if there is one.

    Known and unknown take the same steps here: what differs is done by a worker. Raises
    TooManyResets, ValkeyAway.
    """
    found = User.objects.filter(email=email.lower(), is_active=True).values_list("id", flat=True)
    known = found.first()
    wanted = resets.admit(email=email, address=address)
    try:
        tasks.mail_reset.delay(str(known) if known and wanted else "")
    except OperationalError as fault:
        raise ValkeyAway(headers={"Retry-After": "2"}) from fault


def reset_password(*, user_id: UUID, token: str, new: str, now: datetime) -> None:
    """A new password for who has the mail's token; all sessions and API keys end with the old one.

    Log-in asks for the second factor as ever; but where nothing has proven the email before, the
    second factor was added by who signed up with it, and goes too (decision 18).
    The address it comes from may try even while others use up the guesses at the account.
    Raises BadResetToken, UnfitPassword, ValkeyAway.
    """
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not default_token_generator.check_token(user, token):
        raise BadResetToken
    passwords.keep_the_rules(new, field="new", user=user)
    attempts.vouch(account=user.email, address=origin.address.get())
    everywhere = Session.objects.filter(user=user)
    with transaction.atomic():
        if not _replace(user, new, how="reset", ends=everywhere, now=now):
            raise BadResetToken
        # Whoever has lost control of the account knows not which keys are theirs.
        own = ApiKey.objects.filter(user=user)
        keys.revoke_everywhere(keys=own, by=Actor.user(user.pk), now=now)
        if emails.prove(user_id=user.pk, how="reset", now=now):
            mfa.clear(user_id=user.pk)


def _replace(user: User, new: str, *, how: str, ends: QuerySet[Session], now: datetime) -> bool:
    """Set the password in the place of the one that `user` was read with, and end sessions.

    Those too in which the person is somebody's support. The person's tenants hear of all of it.

    False when somebody else has replaced it meanwhile: then nothing has happened.
    """
    hashed = make_password(new)
    with transaction.atomic():
        same = User.objects.filter(pk=user.pk, password=user.password)
        if not same.update(password=hashed):
            return False
        by, watching = Actor.user(user.pk), SupportSession.objects.filter(staff=user)
        trail.record(f"password.{how}", by=by.name, on=user)
        tenants = Membership.objects.filter(user=user).values_list("tenant_id", flat=True)
        echoes.tell([Echo(tenant, f"password.{how}", user) for tenant in tenants], by=by)
        ending.end_everywhere(ends, because=f"the password was {how}", by=by, now=now)
        support.end_everywhere(sessions=watching, by=by, now=now)
    return True
