"""The policies the walls are made of, as `pg_policy` should have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tenants import rls
from tenants.catalogue import known_tables
from tenants.roles import APP

# What PostgreSQL's print differs in from what was written: blanks, brackets, aliases, and quotes
# where a name needs none. Literals, and names that need their quotes, stay to the letter.
SQUASHING = r"""('[^']*'|"[^"]*[^"\w][^"]*")|"(\w+)"| AS "?\w+"?|[\s()]"""
_COMMANDS = {"ALL": "*", "SELECT": "r", "INSERT": "a", "UPDATE": "w", "DELETE": "d"}


def rows() -> Iterator[dict[str, Any]]:
    """One row per policy of every known table."""
    for wall in known_tables.tenant_walls():
        allow = ("ALL", "true", "true")
        yield _row(wall.table, rls.ALLOW_POLICY, allow, role=APP)
        for name, rule in wall.rules().items():
            yield _row(wall.table, name, ("ALL", rule, rule), role="PUBLIC", permissive=False)
    for shared in known_tables.shared_walls().values():
        for name, parts in shared.rules().items():
            yield _row(shared.table, name, parts, role=APP)


def squashed(rule: str | None) -> str | None:
    """A rule as its print is when that is squashed in SQL. Where a bracket stands is told by
    comparing the schemas."""
    return None if rule is None else re.sub(SQUASHING, r"\1\2", rule.replace("nullif(", "NULLIF("))


def _row(
    table: str,
    name: str,
    parts: tuple[str, str | None, str | None],
    *,
    role: str,
    permissive: bool = True,
) -> dict[str, Any]:
    command, using, check = parts
    return {
        "tab": table,
        "name": name,
        "command": _COMMANDS[command],
        "using_rule": squashed(using),
        "check_rule": squashed(check),
        "role": role,
        "permissive": permissive,
    }
