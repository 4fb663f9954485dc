"""Roles in a tenant, what each may do, and how far each sees. Pure."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    TRADER = "trader"
    VIEWER = "viewer"


class Permission(StrEnum):
    READ_MARKET = "market.read"
    READ_TRADING = "trading.read"
    TRADE = "trading.trade"
    SEE_WHOLE_TENANT = "tenant.see"


_READ = frozenset({Permission.READ_MARKET, Permission.READ_TRADING})

ROLES: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _READ | {Permission.TRADE, Permission.SEE_WHOLE_TENANT},
    Role.ADMIN: _READ | {Permission.TRADE, Permission.SEE_WHOLE_TENANT},
    Role.TRADER: _READ | {Permission.TRADE},
    Role.VIEWER: _READ,
}


def allows(role: Role, permission: Permission) -> bool:
    """Whether `role` holds `permission`."""
    return permission in ROLES[role]
