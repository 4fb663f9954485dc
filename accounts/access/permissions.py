"""Permissions of API views: each names what it needs, and the table of roles answers."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.access import proof
from accounts.access.authentication import Caller
from accounts.access.roles import KeyScope, Permission, Role, allows
from tenants.errors import SecondFactorMissing


class Denied(BasePermission):
    """The default: a view that declares nothing is open to nobody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class Needs(BasePermission):
    """`read` for GET, HEAD and OPTIONS, `write` for the rest; without one, nobody may.

    Raises SecondFactorMissing for somebody whose tenant asks for one that is not there yet.
    """

    read: Permission | None = None
    write: Permission | None = None

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.user, Caller):
            return False
        needed = self.read if request.method in SAFE_METHODS else self.write
        if needed is None or not holds(request.user, needed):
            return False
        return needed is Permission.READ_MARKET or stays_in_account(request.user, view)


class MarketData(Needs):
    read = Permission.READ_MARKET


class Trading(Needs):
    read = Permission.READ_TRADING
    write = Permission.TRADE


class Members(Needs):
    read = Permission.READ_MEMBERS
    write = Permission.MANAGE_MEMBERS


class TenantPolicyChange(Needs):
    read = Permission.READ_MEMBERS
    write = Permission.CHANGE_TENANT


class ApiKeys(Needs):
    read = Permission.USE_KEYS
    write = Permission.USE_KEYS


class SignedIn(BasePermission):
    """A person with a valid access token: no key, and nobody's support."""

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = request.user
        return (
            isinstance(caller, Caller)
            and caller.identity.key_scope is None
            and caller.identity.role != Role.SUPPORT
        )


class SteppedUp(BasePermission):
    """Besides another permission: who has proven themselves just now, which no API key can.

    For what hands out secrets, takes data away or opens the tenant. A view of which only a part is
    that names it in `get_permissions`. Raises StepUpNeeded.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = request.user
        if not isinstance(caller, Caller):
            return False
        proof.require(caller.identity, now=timezone.now())
        return True


def stays_in_account(caller: Caller, view: Any) -> bool:
    """Whether a key of one trading account meets no other: only where the view says it sees to it.

    `SealedViewSet` does for models whose rows name their account.
    """
    return caller.identity.account_id is None or getattr(view, "is_held_to_account", False)


def holds(caller: Caller, permission: Permission) -> bool:
    """Whether role and key allow it. Raises SecondFactorMissing."""
    identity = caller.identity
    if identity.must_enrol:
        raise SecondFactorMissing
    key_scope = KeyScope(identity.key_scope) if identity.key_scope else None
    return allows(Role(identity.role), permission, key_scope)
