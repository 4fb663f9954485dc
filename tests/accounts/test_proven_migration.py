"""Who counts as proven from before there was a proof: nobody with a factor of who knows whom."""

from __future__ import annotations

import os
import subprocess
import sys
from uuid import UUID, uuid4

from tests.tenants.catalogue.scratch import Scratch, made

# `manage.py migrate` only goes forward; Django's own goes both ways, here as the owner.
_MIGRATE = """
import django
django.setup()
from django.core.management import call_command
from django.core.management.commands.migrate import Command
call_command(Command(), {app!r}, {name!r}, database="owner", verbosity=0)
"""
_PERSON = """
INSERT INTO accounts_user (id, email, password, is_staff, is_superuser, is_active, created_at)
VALUES (%s, %s, '', false, false, true, now() - interval '9 days')
"""
_EVENT = """
INSERT INTO accounts_platformevent (id, at, actor, action, kind, key, request_id)
VALUES (gen_random_uuid(), now() - %s::interval, 'user:' || %s, %s, 'user', %s, '')
"""
_FACTOR = """
INSERT INTO accounts_authenticator (id, user_id, sealed_secret, created_at, confirmed_at, last_step)
VALUES (gen_random_uuid(), %s, '', now(), now() - %s::interval, 0)
"""


def migrate(scratch: Scratch, name: str, *, app: str = "accounts") -> None:
    environment = {**os.environ, **scratch.environment}
    subprocess.run(
        [sys.executable, "-c", _MIGRATE.format(app=app, name=name)], env=environment, check=True
    )


def person(scratch: Scratch, name: str, *, events: dict[str, str], factor: str = "") -> UUID:
    """Made nine days ago; events by what was done and how long ago that was."""
    user_id = uuid4()
    scratch.connection.execute(_PERSON, [user_id, f"{name}@x.example"])
    for action, ago in events.items():
        scratch.connection.execute(_EVENT, [ago, str(user_id), action, str(user_id)])
    if factor:
        scratch.connection.execute(_FACTOR, [user_id, factor])
    return user_id


def test_whoever_signed_up_is_unproven_until_a_mail_came_back() -> None:
    signed_up, reset = {"tenant.signed_up": "9 days"}, {"password.reset": "3 days"}
    with made() as scratch:
        migrate(scratch, "0006_members_who_are_shut_out")
        person(scratch, "by-an-operator", events={}, factor="5 days")
        person(scratch, "with-a-second-tenant", events={"tenant.signed_up": "2 days"})
        person(scratch, "signed-up", events=signed_up)
        person(scratch, "reset-since", events=signed_up | reset)
        person(scratch, "factor-after-the-reset", events=signed_up | reset, factor="1 day")
        person(scratch, "factor-before-it", events=signed_up | reset, factor="5 days")
        scratch.connection.commit()
        migrate(scratch, "0010_time_zones")
        migrate(scratch, "0003_rows_on_the_move", app="audit")  # which had to go back, too
        found = scratch.connection.execute(
            "SELECT split_part(email, '@', 1) FROM accounts_user WHERE email_proven_at IS NULL"
        ).fetchall()
        scratch.connection.rollback()
        assert {name for (name,) in found} == {"signed-up", "factor-before-it"}
        assert scratch.gaps() == []
