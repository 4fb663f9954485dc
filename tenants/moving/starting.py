"""Moves that the operator's worker makes, for who has not the owner's log-in: the staff's pages."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from tenants import afterwards
from tenants.models import Tenant, TenantMove
from tenants.moving import actions, tasks


def move(*, tenant: Tenant, plan: str, by: str, now: datetime) -> TenantMove:
    """Have the tenant moved after the commit, or what is under way gone on with.

    What breaks it off is kept with the move. Raises what `actions.begin` raises.
    """
    with transaction.atomic():
        under_way = actions.begin(tenant=tenant, plan=plan, by=by, now=now)
        actions.try_again(under_way)
        send = partial(tasks.move.delay, str(under_way.pk), by)
        afterwards.do(send)
    return under_way


def give_up(*, tenant: Tenant, by: str) -> TenantMove:
    """Have a move that has not switched yet taken back: by whoever carries it, at the next piece of
    work, or by the operator's worker. Raises NotMovable."""
    with transaction.atomic():
        under_way = actions.ask_to_give_up(tenant=tenant, by=by)
        send = partial(tasks.move.delay, str(under_way.pk), by)
        afterwards.do(send)
    return under_way
