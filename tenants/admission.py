"""At the door, before any database is asked: is the credential still good, is there room?

The door answers both in one round trip to Valkey: ended sessions, locks, a token bucket each for
address and tenant, person and the person's keys, the tenant's server time, and one of its slots.
Without an answer it stays closed. It counts, too, what each tenant's people and keys ask; strangers
at a tenant's address are not its use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from config.api.errors import DomainError
from tenants import afterwards, budget, door, identity, limits, origin
from tenants.door import Answer, Place, Room
from tenants.identity import Identity
from tenants.limits import Limits
from tenants.models import EmergencyLock
from tenants.slots import Slot
from tenants.valkey import ValkeyAway

_TRIES = 4  # at a Valkey that was emptied, or while limits change, before a request gives up
_KEPT_FROM_KEYS = 8  # one in so many slots is no API key's


class SessionEnded(DomainError):
    code = "session_ended"
    status = 401
    title = "This session has ended. Log in again."


class OutOfRoom(DomainError):
    """Somebody is let in again as soon as there is room."""

    status = 429
    verdict = ""  # the door's
    seconds = 0.0  # until there is, by the clock alone; 0 where that depends on others


class TooManyRequests(OutOfRoom):
    code = "too_many_requests"
    title = "Too many requests. Wait as long as Retry-After says."


class TooManyAtOnce(OutOfRoom):
    code = "too_many_at_once"
    title = "The plan allows no more requests at a time. Send this one when another has ended."


class TooMuchTime(OutOfRoom):
    code = "too_much_time"
    title = "The tenant has used up its plan's server time. Wait as long as Retry-After says."


class Locked(DomainError):
    code = "locked"
    status = 503
    title = "Data is locked for maintenance. Log-in and health stay open."


# What a tenant may be short of, by the door's verdict.
_SHORT: dict[str, type[OutOfRoom]] = {
    "full": TooManyRequests,
    "overdrawn": TooMuchTime,
    "crowded": TooManyAtOnce,
}


@dataclass(frozen=True, slots=True)
class Guest:
    """Who asks: an address always, and with a credential its session, person and tenant."""

    address: str
    tenant_id: UUID | None = None
    user_id: UUID | None = None
    session_id: UUID | None = None
    is_key: bool = False  # and `session_id` the API key's: keys have a share of their own

    @classmethod
    def of(cls, caller: Identity, *, address: str) -> Guest:
        """Whoever a credential speaks for."""
        is_key = caller.key_scope is not None
        return cls(address, caller.tenant_id, caller.user_id, caller.session_id, is_key)


def admit(guest: Guest, *, is_data: bool, takes: bool = True, slot: Slot | None = None) -> Room:
    """Let one request in. `is_data` is false for log-in, which stays open under a lock.

    With a `slot` it is one of those that its tenant may have at a time, until the slot is left;
    whoever is let in already, as a socket that is looked after, takes none.

    Raises SessionEnded, Locked, TooManyRequests, TooMuchTime, TooManyAtOnce, or ValkeyAway.
    """
    plan = None
    for _ in range(_TRIES):
        plan = _plan(guest)
        answer = _ask(guest, plan, is_data=is_data, takes=takes, slot=slot)
        if answer.verdict == "incomplete":
            recall()
        elif answer.verdict == "changed":
            limits.forget(version=door.limits_version())
        else:
            break
    if answer.verdict != "welcome":
        raise _refusal(answer, guest)
    if slot is not None and plan is not None:
        slot.hold(pace=plan.server_ms_per_second, reserved=answer.millis)
    return answer.room


def verify(credential: str, *, address: str) -> Identity:
    """Whom an `Authorization` value speaks for; one that is no good takes from the address's room.

    Raises accounts' named errors, TooManyRequests, or ValkeyAway.
    """
    try:
        return identity.verify(credential, address=address)
    except DomainError as refused:
        refused.headers |= turn_away(address).headers()
        raise


def turn_away(address: str) -> Room:
    """Count somebody who is refused for another reason. Raises TooManyRequests, or ValkeyAway."""
    return admit(Guest(address), is_data=False)


def knock(address: str) -> None:
    """Before a stranger's word costs a query: whether the address has any room left; takes none.

    Raises TooManyRequests, or ValkeyAway.
    """
    admit(Guest(address), is_data=False, takes=False)


def recheck(guest: Guest) -> None:
    """Whether somebody who was let in may stay; takes from no bucket. Raises what `admit` does."""
    admit(Guest("", guest.tenant_id, None, guest.session_id), is_data=True)


def end(session_ids: list[UUID]) -> None:
    """No access token of these sessions is let in any more, from now on. Raises ValkeyAway.

    The door hears it once more when the caller's transaction is committed: a Valkey that was
    emptied in between may have been told of what was.
    """
    if session_ids:
        _end(session_ids)
        afterwards.do(partial(_end, session_ids))


def lock(tenant_id: UUID | None) -> None:
    """Data of the tenant, or with None of all, answers 503; said twice, as with `end`.

    Raises ValkeyAway.
    """
    door.lock(tenant_id)
    afterwards.do(partial(door.lock, tenant_id))


def recall() -> None:
    """Fill an empty Valkey with what the database knows to have ended. Raises ValkeyAway."""
    begun = door.begin()
    lately = cast(Callable[[], list[UUID]], import_string(settings.TENANT_ENDED_SESSIONS))
    if ended := lately():
        _end(ended)
    for tenant_id in EmergencyLock.objects.values_list("tenant_id", flat=True):
        door.lock(tenant_id)
    door.complete(begun=begun)


def _end(session_ids: list[UUID]) -> None:
    door.end(session_ids, seconds=settings.ACCESS_TOKEN_SECONDS + 60)


def _plan(guest: Guest) -> Limits | None:
    """Of whom a credential speaks for; strangers have none. Raises UnknownTenant."""
    if guest.tenant_id is None or guest.user_id is None:
        return None
    return limits.of(guest.tenant_id)


def _ask(
    guest: Guest, plan: Limits | None, *, is_data: bool, takes: bool, slot: Slot | None
) -> Answer:
    return door.ask(
        tenant_id=guest.tenant_id,
        session_id=guest.session_id,
        buckets=_buckets(guest, plan),
        shares=_shares(guest, plan) if plan else {},
        is_data=is_data,
        is_counted=plan is not None,
        takes=takes,
        version=plan.version if plan else "",
        place=_place(slot, guest, plan) if slot and plan else None,
    )


def _refusal(answer: Answer, guest: Guest) -> DomainError:
    """Raises TooManyRequests of the address in place of an ended session."""
    verdict = answer.verdict
    if verdict in _SHORT:
        return _short(_SHORT[verdict](headers=answer.room.headers()), answer)
    if verdict == "locked":
        return Locked(headers={"Retry-After": "30"})
    if verdict == "ended":
        return SessionEnded(headers=turn_away(guest.address).headers())
    return ValkeyAway(headers={"Retry-After": "1"})  # emptied, or changed, again and again


def _short(refusal: OutOfRoom, answer: Answer) -> OutOfRoom:
    refusal.verdict = answer.verdict
    refusal.headers["Retry-After"] = str(-(-answer.millis // 1000))
    if answer.verdict != "crowded":
        refusal.seconds = answer.millis / 1000
    return refusal


def _buckets(guest: Guest, plan: Limits | None) -> dict[str, int]:
    """Name and size of each bucket that binds, the tenant's last."""
    found: dict[str, int] = {}
    if guest.address:
        network = origin.network(guest.address)
        found[f"rate:address:{network}"] = settings.ADDRESS_REQUESTS_PER_MINUTE
    if plan:
        found[f"rate:tenant:{guest.tenant_id}"] = plan.requests_per_minute
    return found


def _shares(guest: Guest, plan: Limits) -> dict[str, int]:
    """What the tenant keeps for a person, and of that for all of the person's keys together.

    The keys' is smaller, so that programs that run away leave their person room to stop them.
    """
    size = plan.requests_per_minute
    name = f"rate:tenant:{guest.tenant_id}:{guest.user_id}"
    found = {name: max(1, int(size * settings.PERSON_SHARE_OF_REQUESTS))}
    if guest.is_key:
        found[f"{name}:keys"] = max(1, int(size * settings.KEYS_SHARE_OF_REQUESTS))
    return found


def _place(slot: Slot, guest: Guest, plan: Limits) -> Place:
    """How much may be taken before this one is refused: keys leave some, for the same reason."""
    size, pace = plan.concurrent_requests, plan.server_ms_per_second
    if guest.is_key:
        size -= -(-size // _KEPT_FROM_KEYS)
    return Place(slot, max(1, size), pace, budget.kept_from_keys(pace) if guest.is_key else 0)
