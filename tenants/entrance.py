"""How a socket is let in: its address pays, its token is verified, host and path have to fit."""

from __future__ import annotations

from typing import Any

from tenants import addressing, admission, identity, origin
from tenants.admission import Guest
from tenants.errors import SecondFactorMissing, TenantMismatch
from tenants.identity import Identity

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


def let_in(token: str, scope: Any, *, has_paid: bool) -> Identity:
    """Who it is. Host and path must not name another tenant, and the door must let them in.

    The address of one that `has_paid` pays no second time. Raises TenantMismatch, UnknownTenant,
    SecondFactorMissing, and what `admission` raises.
    """
    client = _client_of(scope)
    came_from = origin.address.set(client)
    try:
        return _through_the_door(token, scope, address="" if has_paid else client)
    finally:
        origin.address.reset(came_from)


def _through_the_door(token: str, scope: Any, *, address: str) -> Identity:
    caller = admission.verify(f"Bearer {token}", address=address)
    admission.admit(Guest.of(caller, address=address), is_data=True)
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    named = addressing.resolve(host, scope["path"])
    if named.tenant_id not in (None, caller.tenant_id):
        identity.misdirected(caller, path=scope["path"])
        raise TenantMismatch
    if caller.must_enrol:
        raise SecondFactorMissing
    if caller.is_witnessed:
        identity.witness(caller, method="CONNECT", path=scope["path"])
    return caller


def _client_of(scope: Any) -> str:
    peer = (scope.get("client") or ("",))[0]
    # A proxy may add a line of its own in place of adding to the one that is there.
    lines = (value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return origin.believed(peer, b",".join(lines).decode("latin-1"))
