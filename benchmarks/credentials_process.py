"""The process that is measured by `benchmarks.credentials`: prints seconds by name, as JSON."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import django

django.setup()

from accounts.access.roles import KeyScope, Role  # noqa: E402 - needs the app registry
from accounts.onboarding.actions import create_tenant_for  # noqa: E402
from accounts.sessions.models import Session  # noqa: E402
from accounts.tokens import credentials, keys  # noqa: E402
from accounts.tokens.credentials import Grant  # noqa: E402
from accounts.tokens.models import ApiKey  # noqa: E402
from accounts.users.models import User  # noqa: E402
from benchmarks.credentials import NAMES  # noqa: E402
from tenants import admission  # noqa: E402
from tenants.admission import Guest  # noqa: E402
from tenants.context import Actor  # noqa: E402
from tenants.models import Plan  # noqa: E402


def main(rounds: int) -> None:
    measured = dict(zip(NAMES, _prepared(rounds), strict=True))
    took: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(rounds):
        for name in random.sample(NAMES, len(NAMES)):
            started = time.perf_counter()
            measured[name]()
            took[name].append(time.perf_counter() - started)
    print(json.dumps(took))


def _prepared(rounds: int) -> list[Callable[[], object]]:
    """One person with a session, tokens and a key."""
    now = datetime.now(UTC)
    Plan.objects.update(requests_per_minute=10_000_000)
    email = "olga@measured.example"
    founded = create_tenant_for(
        slug="measured",
        tier="starter",
        owner_email=email,
        password="Correct-horse-7",
        region="default",
        by=Actor.system("benchmark"),
        now=now,
        report=[].append,
    )
    tenant = founded.tenant
    user = User.objects.get(email=email)
    session = Session.objects.create(
        tenant=tenant, user=user, created_at=now, last_seen_at=now, expires_at=now
    )
    secret = keys.new_secret()
    ApiKey.objects.create(
        tenant=tenant,
        user=user,
        name="measured",
        prefix=keys.shown(secret),
        digest=keys.digest(secret),
        key_scope=KeyScope.READ,
        created_at=now,
    )
    grant = Grant(user.id, tenant.id, Role.OWNER, session.id)
    token, *others = (
        credentials.issue(replace(grant, stepped_up_at=number), now=now)
        for number in range(rounds + 1)
    )
    fresh = iter(others)
    guest = Guest("127.0.0.1", tenant.id, uuid4(), uuid4())
    return [
        lambda: credentials.identify(next(fresh)),
        lambda: credentials.identify(token),
        lambda: admission.admit(guest, is_data=True),
        lambda: keys.identify(secret, address="127.0.0.1", now=now),
        lambda: Session.objects.filter(pk=session.id, ended_at=None).first(),
    ]


if __name__ == "__main__":
    main(int(sys.argv[1]))
