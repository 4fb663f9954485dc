"""What may be done with plans."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from tenants import door, trail
from tenants.models import Plan


def change(*, plan: Plan, changed: Sequence[str], by: str) -> None:
    """Store a plan; every process goes by its new limits from the next request on.

    Where Valkey is away at that moment, within half a minute.
    """
    known = Plan.objects.filter(pk=plan.pk).values(*changed).first() if changed else None
    with transaction.atomic():
        plan.save()
        after = {name: getattr(plan, name) for name in changed}
        trail.record("plan.changed", by=by, kind="plan", key=plan.pk, before=known, after=after)
        transaction.on_commit(door.limits_have_changed, robust=True)
