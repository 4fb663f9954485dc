"""What the code says should be there, as the parameters of every query."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings

from tenants import entry, rls, roles
from tenants.catalogue import distribution, known_functions, known_policies, known_tables


def parameters(pattern: str, *, only: str | None = None) -> dict[str, Any]:
    """`pattern` names the schema that shows how all others should be, or `only` one other."""
    return {
        "pattern": pattern,
        "only": only,
        "tables": json.dumps(list(known_tables.rows())),
        "policies": json.dumps(list(known_policies.rows())),
        "functions": json.dumps(list(known_functions.rows())),
        "explained": known_functions.explained(),
        "everywhere": list(distribution.EVERYWHERE),
        "regions": list(settings.REGIONS),
        "roles": json.dumps([_role(role) for role in roles.ROLES]),
        "memberships": json.dumps([asdict(due) for due in roles.MEMBERSHIPS]),
        "revoked": list(roles.REVOKED_FUNCTIONS),
        "revoked_patterns": list(roles.REVOKED_FUNCTION_PATTERNS),
        "revoked_views": list(roles.REVOKED_VIEWS),
        "squashing": known_policies.SQUASHING,
        "tenant_default": known_policies.squashed(rls.TENANT_SETTING),
        "enters": _printed(entry.ENTERS),
        "app": roles.APP,
        "owner": roles.OWNER,
        "backup": roles.BACKUP,
        "backup_functions": list(roles.BACKUP_FUNCTIONS),
        "mover": roles.MOVER,
        "moving": list(rls.MOVING_PRIVILEGES),
    }


def _printed(rule: str) -> str | None:
    """`squashed`, and as PostgreSQL prints it where `pg_catalog` alone is searched."""
    return known_policies.squashed(rule.replace("pg_catalog.", ""))


def _role(role: roles.Role) -> dict[str, Any]:
    """What the role is, all else it is not; and what its sessions start with."""
    return {
        "name": role.name,
        "attributes": [word for word in role.words if not word.startswith("NO")],
        "settings": dict(role.settings),
    }
