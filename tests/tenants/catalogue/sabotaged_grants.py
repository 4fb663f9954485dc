"""Privileges, given and taken by hand."""

from tests.tenants.catalogue.sabotage import DEDICATED, PUBLIC, Sabotage

_APP = "bulkhead_app"

GRANTS = [
    *(
        Sabotage(
            f"{privilege} granted",
            "grant_beyond",
            f"GRANT {privilege} ON {{schema}}.trading_order TO {_APP}",
        )
        for privilege in ("TRUNCATE", "REFERENCES", "TRIGGER")
    ),
    Sabotage(
        "append-only updatable",
        "grant_beyond",
        f"GRANT UPDATE ON {{schema}}.trading_fill TO {_APP}",
    ),
    Sabotage(
        "right to hand on",
        "grant_option",
        f"GRANT SELECT ON {{schema}}.trading_order TO {_APP} WITH GRANT OPTION",
    ),
    Sabotage(
        "right to hand on a shared table",
        "grant_option",
        f"GRANT SELECT ON accounts_user TO {_APP} WITH GRANT OPTION",
        PUBLIC,
    ),
    Sabotage(
        "right to hand on a column",
        "column_grant",
        f"GRANT SELECT (fees) ON {{schema}}.trading_order TO {_APP} WITH GRANT OPTION",
    ),
    Sabotage(
        "right to hand on the schema",
        "grant_above",
        f"GRANT USAGE ON SCHEMA {{schema}} TO {_APP} WITH GRANT OPTION",
    ),
    Sabotage("public reads", "grant_to_public", "GRANT SELECT ON {schema}.trading_order TO PUBLIC"),
    Sabotage(
        "another role reads",
        "grant_to_other",
        "GRANT SELECT ON {schema}.trading_order TO bulkhead_backup",
    ),
    Sabotage(
        "whoever moves tenants changes rows",
        "grant_to_other",
        "GRANT UPDATE ON {schema}.trading_order TO bulkhead_mover",
    ),
    Sabotage(
        "whoever moves tenants reads people",
        "grant_to_other",
        "GRANT SELECT ON accounts_user TO bulkhead_mover",
        PUBLIC,
    ),
    Sabotage(
        "whoever moves tenants leaves rows behind",
        "grant_missing",
        "REVOKE DELETE ON {schema}.trading_order FROM bulkhead_mover",
    ),
    Sabotage(
        "grant lost", "grant_missing", f"REVOKE INSERT ON {{schema}}.trading_order FROM {_APP}"
    ),
    Sabotage(
        "one column granted",
        "column_grant",
        f"GRANT UPDATE (price) ON {{schema}}.trading_fill TO {_APP}",
    ),
    Sabotage(
        "bookkeeping granted",
        "grant_beyond",
        f"GRANT SELECT ON {{schema}}.django_migrations TO {_APP}",
    ),
    Sabotage(
        "sequence granted",
        "grant_beyond",
        f"GRANT SELECT ON SEQUENCE {{schema}}.django_migrations_id_seq TO {_APP}",
    ),
    Sabotage(
        "key of the tickets granted",
        "grant_beyond",
        f"GRANT SELECT ON bulkhead.ticket_key TO {_APP}",
        PUBLIC,
        found_in="bulkhead",
    ),
    Sabotage(
        "schema of the tickets open",
        "grant_above",
        f"GRANT USAGE ON SCHEMA bulkhead TO {_APP}",
        PUBLIC,
        found_in="bulkhead",
    ),
    Sabotage(
        "default privileges for the application",
        "default_privileges",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {{schema}} GRANT SELECT ON TABLES TO {_APP}",
    ),
    Sabotage(
        "default privileges for all",
        "default_privileges",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        PUBLIC,
        found_in="(database)",
    ),
    Sabotage(
        "schema closed",
        "grant_lacking",
        f"REVOKE USAGE ON SCHEMA {{schema}} FROM {_APP}",
        DEDICATED,
    ),
    Sabotage("objects may be made", "grant_above", f"GRANT CREATE ON SCHEMA {{schema}} TO {_APP}"),
    Sabotage("all may make objects", "grant_above", "GRANT CREATE ON SCHEMA {schema} TO PUBLIC"),
    Sabotage(
        "backup enters a schema",
        "grant_above",
        "GRANT USAGE ON SCHEMA {schema} TO bulkhead_backup",
        DEDICATED,
    ),
]
