"""Refusals that hold for a moment: whoever asks again at once is answered in front of Django.

The door says that a tenant has no room, or owes server time, and for how long; `note` leaves that
with the request for `config/refusals.py`, which answers the same credential by it for a second at
most. Nobody is let in by it. What it answers is counted by the process, and told once a second.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache
from threading import Lock, Thread
from uuid import UUID

from django.http import HttpRequest

from tenants import tally
from tenants.admission import OutOfRoom
from tenants.valkey import ValkeyAway

NOTED = "tenants.refusal"  # in the scope of an ASGI request
_TOLD_EVERY = 1.0  # seconds
_log = logging.getLogger("bulkhead.refusals")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a tenant's people and keys are refused with, counted as `verdict`; it is over `at`."""

    tenant_id: UUID
    verdict: str
    at: float  # by the monotonic clock


def note(request: HttpRequest, fault: Exception) -> None:
    """For a fault of the door, if it is one that time alone ends, of a caller who is known."""
    scope, caller = getattr(request, "scope", None), getattr(request, "identity", None)
    if scope is None or caller is None:
        return
    if isinstance(fault, OutOfRoom) and fault.seconds:
        ends = time.monotonic() + fault.seconds
        scope[NOTED] = Refusal(caller.tenant_id, fault.verdict, ends)


_counted: Counter[tuple[UUID, str]] = Counter()
_lock = Lock()


def count(refusal: Refusal) -> None:
    """One more was answered by it."""
    with _lock:
        _counted[refusal.tenant_id, refusal.verdict] += 1
    _telling()


def tell() -> None:
    """Add to each tenant's hour what was counted since the last time; kept while Valkey is away."""
    with _lock:
        counted = Counter(_counted)
        _counted.clear()
    if not counted:
        return
    try:
        tally.add(counted)
    except ValkeyAway:
        with _lock:
            for each, number in counted.items():
                _counted[each] += number
        return
    for (tenant_id, verdict), number in counted.items():
        _log.info("%s more were %s at once", number, verdict, extra={"tenant": str(tenant_id)})


@cache
def _telling() -> Thread:
    """One thread of the process, from its first on."""
    thread = Thread(target=_tell_for_ever, name="refusals", daemon=True)
    thread.start()
    return thread


def _tell_for_ever() -> None:
    while True:
        time.sleep(_TOLD_EVERY)
        with contextlib.suppress(OSError):
            tell()
