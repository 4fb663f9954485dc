"""Roles in a tenant, what each may do, and how far each sees. Pure."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    TRADER = "trader"
    VIEWER = "viewer"
    # The platform's staff in an open support session; nobody's membership.
    SUPPORT = "support"


class Permission(StrEnum):
    READ_MARKET = "market.read"
    READ_TRADING = "trading.read"
    TRADE = "trading.trade"
    SEE_WHOLE_TENANT = "tenant.see"
    READ_MEMBERS = "members.read"
    MANAGE_MEMBERS = "members.manage"
    MANAGE_OWNERS = "owners.manage"
    USE_KEYS = "keys.use"
    READ_AUDIT = "audit.read"
    READ_SUPPORT = "support.read"
    OPEN_SUPPORT = "support.open"
    CHANGE_TENANT = "tenant.change"
    READ_BACKUPS = "backups.read"
    TAKE_BACKUPS = "backups.take"
    EXPORT_BACKUPS = "backups.export"
    RESTORE_BACKUPS = "backups.restore"


_READ = frozenset({Permission.READ_MARKET, Permission.READ_TRADING})
_TRADER = _READ | {Permission.TRADE, Permission.USE_KEYS}
_ADMIN = _TRADER | {
    Permission.SEE_WHOLE_TENANT,
    Permission.READ_MEMBERS,
    Permission.MANAGE_MEMBERS,
    Permission.READ_AUDIT,
    Permission.READ_SUPPORT,
    Permission.READ_BACKUPS,
    Permission.TAKE_BACKUPS,
    Permission.EXPORT_BACKUPS,
}

ROLES: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _ADMIN
    | {
        Permission.MANAGE_OWNERS,
        Permission.OPEN_SUPPORT,
        Permission.CHANGE_TENANT,
        Permission.RESTORE_BACKUPS,
    },
    Role.ADMIN: _ADMIN,
    Role.TRADER: _TRADER,
    Role.VIEWER: _READ,
    Role.SUPPORT: _READ | {Permission.SEE_WHOLE_TENANT, Permission.READ_MEMBERS},
}
# Their transactions are read-only to PostgreSQL too.
READERS = frozenset({Role.VIEWER, Role.SUPPORT})
MEMBERS = (Role.OWNER, Role.ADMIN, Role.TRADER, Role.VIEWER)


class KeyScope(StrEnum):
    """How much of its person's role an API key carries."""

    READ = "read"
    TRADE = "trade"
    ADMIN = "admin"


_KEY_READ = frozenset(
    {
        Permission.READ_MARKET,
        Permission.READ_TRADING,
        Permission.SEE_WHOLE_TENANT,
        Permission.READ_MEMBERS,
        Permission.READ_AUDIT,
        Permission.READ_SUPPORT,
        Permission.READ_BACKUPS,
    }
)
# No key manages keys, owners or support: those take a person with a second factor.
KEY_SCOPES: dict[KeyScope, frozenset[Permission]] = {
    KeyScope.READ: _KEY_READ,
    KeyScope.TRADE: _KEY_READ | {Permission.TRADE},
    KeyScope.ADMIN: _KEY_READ
    | {Permission.TRADE, Permission.MANAGE_MEMBERS, Permission.TAKE_BACKUPS},
}


def allows(role: Role, permission: Permission, key_scope: KeyScope | None = None) -> bool:
    """Whether `role` holds `permission`, and the key, if one is used, carries it."""
    return permission in ROLES[role] and (key_scope is None or permission in KEY_SCOPES[key_scope])
