"""How a socket is let in: its address pays, its token is verified, host and path have to fit."""

from __future__ import annotations

from typing import Any

from config.api.errors import DomainError
from tenants import addressing, admission, identity, origin
from tenants.admission import Guest
from tenants.errors import SecondFactorMissing, TenantMismatch
from tenants.identity import Identity
from tenants.metering import Meter
from tenants.slots import Slot

_PROTOCOL = "bulkhead.token."


def credential_in(offered: list[str]) -> tuple[str, str] | None:
    """The sub-protocol that carries a token, and the token; a JWT alone is known by its dots."""
    for protocol in offered:
        if protocol.startswith(_PROTOCOL):
            return protocol, protocol.removeprefix(_PROTOCOL)
        if protocol.count(".") == 2:
            return protocol, protocol
    return None


def pay(scope: Any) -> None:
    """Of a socket without a token, before it is accepted. Raises TooManyRequests or ValkeyAway."""
    admission.turn_away(_client_of(scope))


def let_in(token: str, scope: Any, *, has_paid: bool) -> tuple[Identity, Meter]:
    """Who it is. Host and path must not name another tenant, and the door must let them in.

    To open a socket is a request of the tenant's, over once it is let in; by the meter it pays for
    what it does then. The address of one that `has_paid` pays no second time.

    Raises TenantMismatch, UnknownTenant, SecondFactorMissing, and what `admission` raises.
    """
    client = _client_of(scope)
    came_from = origin.address.set(client)
    try:
        return _through_the_door(token, scope, address="" if has_paid else client)
    finally:
        origin.address.reset(came_from)


def _through_the_door(token: str, scope: Any, *, address: str) -> tuple[Identity, Meter]:
    caller, status = admission.verify(f"Bearer {token}", address=address), 500
    slot = Slot(caller.tenant_id)
    admission.admit(Guest.of(caller, address=address), is_data=True, slot=slot)
    try:
        _check(caller, scope)
        status = 101
    except DomainError as refused:
        status = refused.status
        raise
    finally:
        slot.leave(status)
    return caller, Meter(caller.tenant_id, slot.pace)


def _check(caller: Identity, scope: Any) -> None:
    """Raises TenantMismatch, UnknownTenant, SecondFactorMissing."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    named = addressing.resolve(host, scope["path"])
    if named.tenant_id not in (None, caller.tenant_id):
        identity.misdirected(caller, path=scope["path"])
        raise TenantMismatch
    if caller.must_enrol:
        raise SecondFactorMissing
    if caller.is_witnessed:
        identity.witness(caller, method="CONNECT", path=scope["path"])


def _client_of(scope: Any) -> str:
    peer = (scope.get("client") or ("",))[0]
    # A proxy may add a line of its own in place of adding to the one that is there.
    lines = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return origin.believed(peer, b",".join(lines).decode("latin-1"))
