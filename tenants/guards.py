"""The first connection of a process: a role that could see past the walls is turned away."""

from __future__ import annotations

import threading
from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.rows import dict_row

from tenants.errors import WrongDatabaseRole

_QUERY = """
SELECT r.rolname AS name, r.rolsuper, r.rolbypassrls,
       EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.member = r.oid) AS is_member,
       EXISTS (SELECT FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_database b
                   ON b.datname = pg_catalog.current_database() AND d.dbid = b.oid
                WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
                  AND d.refobjid = r.oid AND d.deptype = 'o') AS is_owner,
       pg_catalog.has_database_privilege(r.oid, pg_catalog.current_database(), 'CREATE')
       OR EXISTS (SELECT FROM pg_catalog.pg_namespace n
                   WHERE pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE')) AS may_create
  FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
"""

# The first that holds is said; what it means for the walls follows the role's name.
_FAULTS = (
    ("rolsuper", "a superuser, for whom no policy holds"),
    ("rolbypassrls", "a role with BYPASSRLS, for which no policy holds"),
    ("is_owner", "an owner of tables or schemas, who could change their walls"),
    ("is_member", "a member of another role, whose rights it could take with SET ROLE"),
    ("may_create", "a role that may create objects, and so hide real tables behind its own"),
)
_REMEDY = "Point DATABASE_URL at bulkhead_app (make it with `manage.py provision_roles`)."

_trusted: set[tuple[Any, ...]] = set()
_lock = threading.Lock()


def check_role(connection_params: dict[str, Any]) -> None:
    """Ask the database once a process who these parameters connect as.

    On a connection of its own, so that no pool ever holds one that was refused. Raises
    WrongDatabaseRole; whoever comes while the first is asking waits for the answer.
    """
    names = ("service", "host", "port", "dbname", "user")
    key = tuple(connection_params.get(name) for name in names)
    if key in _trusted:
        return
    with _lock:
        if key not in _trusted:
            _refuse(_attributes(connection_params))
            _trusted.add(key)


def refuse_wrong_role() -> None:
    """At the start of web and workers: end with the sentence instead of serving errors.

    A database that is away is asked at the first connection instead.
    """
    try:
        check_role(connections[DEFAULT_DB_ALIAS].get_connection_params())
    except WrongDatabaseRole as fault:
        raise SystemExit(f"Bulkhead does not start. {fault}") from fault
    except psycopg.OperationalError:
        return


def _attributes(connection_params: dict[str, Any]) -> dict[str, Any]:
    plain = {"autocommit": True, "cursor_factory": None, "row_factory": dict_row}
    with psycopg.connect(**{**connection_params, **plain}) as connection:
        return cast(dict[str, Any], connection.execute(_QUERY).fetchone())


def _refuse(role: dict[str, Any]) -> None:
    for attribute, words in _FAULTS:
        if role[attribute]:
            raise WrongDatabaseRole(f"Connected as {role['name']!r}, {words}. {_REMEDY}")
