"""Permissions of API views: each names what it needs, and the table of roles answers."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.access.authentication import Caller
from accounts.access.roles import Permission, Role, allows


class Denied(BasePermission):
    """The default: a view that declares nothing is open to nobody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class _Needs(BasePermission):
    """`read` for GET, HEAD and OPTIONS, `write` for the rest."""

    read: Permission
    write: Permission | None = None

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.user, Caller):
            return False
        needed = self.read if request.method in SAFE_METHODS else self.write
        return needed is not None and allows(Role(request.user.identity.role), needed)


class MarketData(_Needs):
    read = Permission.READ_MARKET


class Trading(_Needs):
    read = Permission.READ_TRADING
    write = Permission.TRADE


class SignedIn(BasePermission):
    """Anyone with a valid token."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, Caller)
