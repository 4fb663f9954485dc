"""What is done to a person on the platform, told to the tenants that it touches.

It is one transaction for all of them, and a transaction enters one tenant at most; so a worker
writes it into their trails (`hearing.py`). The platform's trail has all of it at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import models

from accounts.audit.entries import safe
from accounts.trail import tasks
from config.logs import request_id
from tenants import afterwards, origin
from tenants.context import Actor
from tenants.identifiers import new_id


@dataclass(frozen=True, slots=True)
class Echo:
    """One event of one tenant's trail."""

    tenant_id: UUID
    action: str
    on: models.Model
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    def message(self) -> dict[str, Any]:
        """In JSON's terms, with the id that keeps it one event however often it is delivered."""
        said = {"kind": str(self.on._meta.model_name), "key": str(self.on.pk)}
        states = {"before": safe(self.before), "after": safe(self.after)}
        return {"event_id": str(new_id()), "action": self.action, **said, **states}


def tell(echoes: Iterable[Echo], *, by: Actor) -> None:
    """Once the platform's transaction is committed, have a worker write down what `by` has done."""
    of_tenants: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for echo in echoes:
        of_tenants[echo.tenant_id].append(echo.message())
    whence = {"address": origin.address.get(), "request": request_id.get()}
    person = str(by.user_id) if by.user_id else ""
    for tenant_id, events in of_tenants.items():
        where = {"tenant_id": str(tenant_id), "actor": by.name, "person_id": person, **whence}
        afterwards.do(partial(tasks.echo.delay, events=events, **where))
