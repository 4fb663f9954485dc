"""Log-ins beside the application's own, whose sessions start as its sessions do."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from tenants.roles import APP, ROLES

# A starter's statements end after 5 s: a limit, and no part of isolation, but it costs a timer.
_TIMEOUT = ("statement_timeout", "5s")


def start_alike(connection: Any, name: str) -> None:
    """Have a role's sessions start with the settings of the application's: some save time."""
    (own,) = (role.settings for role in ROLES if role.name == APP)
    for setting, value in (*own, _TIMEOUT):
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(
                sql.Identifier(name),
                sql.Identifier(setting),
                sql.SQL(", ").join(map(sql.Literal, value.split(", "))),
            )
        )
