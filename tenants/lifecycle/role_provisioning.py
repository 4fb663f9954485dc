"""Makes the roles and takes from PUBLIC what could see or act past the walls."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from tenants.roles import (
    APP,
    BACKUP,
    BACKUP_FUNCTIONS,
    MEMBERSHIPS,
    MOVER,
    OWNER,
    REVOKED_FUNCTION_PATTERNS,
    REVOKED_FUNCTIONS,
    REVOKED_VIEWS,
    ROLES,
    Role,
)


@dataclass(frozen=True, slots=True)
class Passwords:
    """Passwords of the log-ins, by role name; a role without one keeps what it has."""

    by_role: dict[str, str]


def provision(superuser_dsn: str, passwords: Passwords) -> list[str]:
    """Bring roles and privileges of one database to their right state; safe to run again.

    Gives one line per thing done. Raises psycopg.Error where the log-in may not do it.
    """
    with psycopg.connect(superuser_dsn, autocommit=False) as connection:
        return bring(connection, passwords)


def bring(connection: psycopg.Connection, passwords: Passwords) -> list[str]:
    """The same in the transaction of a superuser, who commits it or does not."""
    done = [_role(connection, role, passwords.by_role.get(role.name)) for role in ROLES]
    _memberships(connection)
    _database(connection)
    return [*done, *_revocations(connection)]


def _role(connection: psycopg.Connection, role: Role, password: str | None) -> str:
    exists = connection.execute(
        "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s", [role.name]
    ).fetchone()
    verb = "ALTER" if exists else "CREATE"
    statement = sql.SQL(f"{verb} ROLE {{}} {' '.join(role.words)}")
    connection.execute(statement.format(sql.Identifier(role.name)))
    if password:
        change = sql.SQL("ALTER ROLE {} PASSWORD {}")
        connection.execute(change.format(sql.Identifier(role.name), sql.Literal(password)))
    for name, value in role.settings:
        change = sql.SQL("ALTER ROLE {} SET {} TO {}")
        values = sql.SQL(", ").join(sql.Literal(part.strip()) for part in value.split(","))
        connection.execute(change.format(sql.Identifier(role.name), sql.Identifier(name), values))
    return f"role {role.name}: {'checked' if exists else 'made'}"


def _memberships(connection: psycopg.Connection) -> None:
    """The application is a member of nothing: SET ROLE would take the other's rights along."""
    rows = connection.execute(
        "SELECT r.rolname FROM pg_catalog.pg_auth_members m"
        " JOIN pg_catalog.pg_roles r ON r.oid = m.roleid"
        " WHERE m.member = %s::regrole",
        [APP],
    ).fetchall()
    for (granted,) in rows:
        revoke = sql.SQL("REVOKE {} FROM {}")
        connection.execute(revoke.format(sql.Identifier(granted), sql.Identifier(APP)))
    for due in MEMBERSHIPS:
        connection.execute(
            f"GRANT {due.role} TO {due.member} WITH ADMIN FALSE, INHERIT {due.inherits}, SET TRUE"
        )


def _database(connection: psycopg.Connection) -> None:
    name = sql.Identifier(connection.info.dbname)
    for statement in (
        "REVOKE ALL ON DATABASE {} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {{}} TO {APP}, {BACKUP}",
        f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {{}} TO {OWNER}",
    ):
        connection.execute(sql.SQL(statement).format(name))
    connection.execute(f"ALTER SCHEMA public OWNER TO {OWNER}")
    connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    connection.execute(f"GRANT USAGE ON SCHEMA public TO {APP}, {BACKUP}, {MOVER}")


def _revocations(connection: psycopg.Connection) -> list[str]:
    functions = [*REVOKED_FUNCTIONS, *_matching_functions(connection)]
    for function in functions:
        known = connection.execute("SELECT to_regprocedure(%s)", [function]).fetchone()
        if known and known[0]:
            connection.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
            connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {OWNER}")
    _backup_functions(connection)
    for view in REVOKED_VIEWS:
        connection.execute(f"REVOKE ALL ON pg_catalog.{view} FROM PUBLIC")
    connection.execute("REVOKE ALL ON LANGUAGE plpgsql FROM PUBLIC")
    connection.execute(f"GRANT USAGE ON LANGUAGE plpgsql TO {OWNER}")
    return [f"revoked from PUBLIC: {len(functions)} functions, {len(REVOKED_VIEWS)} views"]


def _backup_functions(connection: psycopg.Connection) -> None:
    """These alone of PostgreSQL's own, whatever a release of before has granted."""
    rows = connection.execute(
        "SELECT DISTINCT p.oid::regprocedure::text FROM pg_catalog.pg_proc p"
        " CROSS JOIN LATERAL aclexplode(p.proacl) a"
        " WHERE p.oid < 16384 AND a.grantee = %s::regrole",
        [BACKUP],
    ).fetchall()
    for (function,) in rows:
        connection.execute(f"REVOKE ALL ON FUNCTION {function} FROM {BACKUP}")
    for function in BACKUP_FUNCTIONS:
        connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {BACKUP}")


def _matching_functions(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT p.oid::regprocedure::text FROM pg_catalog.pg_proc p"
        " WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname LIKE ANY (%s)",
        [list(REVOKED_FUNCTION_PATTERNS)],
    ).fetchall()
    return [f"pg_catalog.{name}" for (name,) in rows]
