"""Roles, the database, tenants' places and migrations, broken by hand."""

from tests.tenants.catalogue.sabotage import DEDICATED, PUBLIC, Sabotage, server_wide

_APP = "bulkhead_app"

ROLES = [
    *(
        server_wide(f"application is {word}", "role_attribute", f"ALTER ROLE {_APP} {word}")
        for word in ("SUPERUSER", "BYPASSRLS", "REPLICATION", "CREATEROLE", "CREATEDB")
    ),
    server_wide("owner bypasses policies", "role_attribute", "ALTER ROLE bulkhead_owner BYPASSRLS"),
    server_wide("application reads all", "role_member", f"GRANT pg_read_all_data TO {_APP}"),
    server_wide("application becomes owner", "role_member", f"GRANT bulkhead_owner TO {_APP}"),
    *(
        server_wide(
            f"somebody joins {role}",
            "role_joined",
            f"CREATE ROLE somebody {login}; GRANT {role} TO somebody",
        )
        for role, login in (
            ("bulkhead_owner", "NOLOGIN"),
            (_APP, "LOGIN"),
            ("bulkhead_backup", "LOGIN NOINHERIT"),
        )
    ),
    *(
        server_wide(f"{role} is a member of {other}", "role_member", f"GRANT {other} TO {role}")
        for role, other in (
            ("bulkhead_backup", "pg_write_all_data"),
            ("bulkhead_backup", "bulkhead_owner"),
            ("bulkhead_owner", "pg_read_all_data"),
        )
    ),
    Sabotage(
        "a role lost",
        "function_callers function_not_callable " * 2 + "grant_above",
        "ALTER ROLE bulkhead_backup RENAME TO somebody",
        PUBLIC,
        by_owner=False,
        also="role_missing grant_above",
    ),
    server_wide("time zone unset", "role_timezone", f"ALTER ROLE {_APP} RESET timezone"),
    server_wide("path open", "role_search_path", f"ALTER ROLE {_APP} SET search_path = public"),
    server_wide(
        "path open in this database",
        "role_search_path",
        f"DO $$ BEGIN EXECUTE format('ALTER ROLE {_APP} IN DATABASE %I SET search_path = public',"
        " current_database()); END $$",
    ),
    *(
        server_wide(
            f"{change.lower()} for the application",
            "role_setting_altered",
            f"ALTER ROLE {_APP} {change}",
        )
        for change in (
            "SET track_activities = on",
            "RESET log_min_error_statement",
            "SET idle_in_transaction_session_timeout = 0",
        )
    ),
    server_wide(
        "statements seen in this database",
        "role_setting_altered",
        f"DO $$ BEGIN EXECUTE format('ALTER ROLE {_APP} IN DATABASE %I SET track_activities = on',"
        " current_database()); END $$",
    ),
    server_wide(
        "a setting nobody wrote", "role_setting", f"ALTER ROLE {_APP} SET work_mem = '1GB'"
    ),
    server_wide(
        "tenant for every session of the database",
        "role_setting",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.current_tenant_id = nobody',"
        " current_database()); END $$",
    ),
    server_wide("policies switched", "role_setting", f"ALTER ROLE {_APP} SET row_security = off"),
    server_wide(
        "tenant for a whole session",
        "role_setting",
        f"ALTER ROLE {_APP} SET app.current_tenant_id = '{{tenant_id}}'",
    ),
]

DATABASE = [
    *(
        server_wide(
            f"{privilege} on the database to {role}",
            "grant_above",
            f"DO $$ BEGIN EXECUTE format('GRANT {privilege} ON DATABASE %I TO {role}',"
            " current_database()); END $$",
        )
        for privilege, role in (("TEMP", _APP), ("CREATE", _APP), ("CONNECT", "PUBLIC"))
    ),
    server_wide(
        "owner may make no schema",
        "grant_lacking",
        "DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM bulkhead_owner',"
        " current_database()); END $$",
    ),
    server_wide("language open", "grant_above", "GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC"),
    server_wide(
        "replica's role granted",
        "grant_above",
        f"GRANT SET ON PARAMETER session_replication_role TO {_APP}",
    ),
    server_wide(
        "event trigger",
        "event_trigger",
        "CREATE FUNCTION bulkhead.watch() RETURNS event_trigger LANGUAGE plpgsql"
        " AS $$ BEGIN END $$; REVOKE ALL ON FUNCTION bulkhead.watch() FROM PUBLIC;"
        " ALTER FUNCTION bulkhead.watch() OWNER TO bulkhead_owner;"
        " CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION bulkhead.watch()",
    ),
    Sabotage(
        "table outside the database",
        "foreign_table",
        "CREATE FOREIGN DATA WRAPPER away; CREATE SERVER outside FOREIGN DATA WRAPPER away;"
        " GRANT USAGE ON FOREIGN SERVER outside TO bulkhead_owner; SET LOCAL ROLE bulkhead_owner;"
        " CREATE FOREIGN TABLE {schema}.afar (id uuid) SERVER outside; RESET ROLE",
        PUBLIC,
        by_owner=False,
        also="foreign_server",
    ),
    server_wide("all is published", "publication", "CREATE PUBLICATION p FOR ALL TABLES"),
    *(
        Sabotage(
            f"{what} published",
            "publication",
            f"CREATE PUBLICATION p FOR {objects}",
            (place,),
            by_owner=False,
            found_in="(database)",
        )
        for what, place, objects in (
            ("tenants' orders", "public", "TABLE {schema}.trading_order"),
            ("a tenant's orders", "dedicated", "TABLE {schema}.trading_order"),
            ("a tenant's schema", "dedicated", "TABLES IN SCHEMA {schema}"),
            ("key of the tickets", "public", "TABLE bulkhead.ticket_key"),
        )
    ),
    server_wide(
        "way out of the database",
        "foreign_server",
        "CREATE FOREIGN DATA WRAPPER away; CREATE SERVER outside FOREIGN DATA WRAPPER away",
    ),
]

PLACES = [
    Sabotage(
        "schema without its tenant",
        "schema_without_tenant",
        "DELETE FROM tenants_tenant WHERE id = '{tenant_id}'",
        DEDICATED,
    ),
    Sabotage(
        "tenant said to live elsewhere",
        "schema_of_shared_tenant",
        "UPDATE tenants_tenant SET placement = 'shared' WHERE id = '{tenant_id}'",
        DEDICATED,
    ),
    Sabotage(
        "tenant without its schema",
        "tenant_without_schema",
        "DROP SCHEMA {dedicated} CASCADE",
        DEDICATED,
        found_in="public",
    ),
    Sabotage(
        "tenant led to another's schema",
        "tenant_schema_wrong",
        "ALTER TABLE tenants_tenant DROP CONSTRAINT tenant_schema_is_its_own;"
        " UPDATE tenants_tenant SET schema_name = 'tenant_' || repeat('0', 32)"
        " WHERE placement = 'shared'",
        PUBLIC,
    ),
    Sabotage(
        "migration not on record",
        "migrations_missing",
        "DELETE FROM {schema}.django_migrations WHERE app = 'trading'",
    ),
    Sabotage(
        "migration of another release",
        "migrations_unknown",
        "INSERT INTO {schema}.django_migrations (app, name, applied)"
        " VALUES ('trading', '9999_later', now())",
    ),
]

_KEY = "ALTER TABLE bulkhead.ticket_key"
TICKET_KEY = [
    Sabotage(name, codes, sql, PUBLIC, found_in="bulkhead")
    for name, codes, sql in (
        ("key of the tickets lost", "ticket_key_lost", "DELETE FROM bulkhead.ticket_key"),
        (
            "key of the tickets without a key",
            "ticket_key_altered",
            f"{_KEY} DROP CONSTRAINT ticket_key_pkey",
        ),
        (
            "two keys of the tickets",
            "ticket_key_altered ticket_key_lost",
            f"{_KEY} DROP CONSTRAINT ticket_key_pkey;"
            " INSERT INTO bulkhead.ticket_key SELECT * FROM bulkhead.ticket_key",
        ),
        (
            "key of the tickets that a crash empties",
            "ticket_key_altered",
            f"{_KEY} SET UNLOGGED",
        ),
        (
            "key of the tickets told to another",
            "ticket_key_altered",
            "CREATE RULE tell AS ON UPDATE TO bulkhead.ticket_key DO ALSO NOTIFY told",
        ),
        (
            "key of the tickets that its reader does not see",
            "ticket_key_altered",
            f"{_KEY} ENABLE ROW LEVEL SECURITY",
        ),
        *(
            (
                f"another {column} of the tickets' key",
                "ticket_key_replaced",
                f"UPDATE bulkhead.ticket_key SET {column} = sha256('mine')"
                + (" || sha256('mine')" if column.endswith("pad") else ""),
            )
            for column in ("inner_pad", "outer_pad", "proof_key")
        ),
    )
] + [
    Sabotage(
        "table of the tickets' key lost",
        "",
        "DROP TABLE bulkhead.ticket_key",
        PUBLIC,
        also="ticket_key_missing unreadable",
    ),
]

_BLUEPRINT = "bulkhead.blueprint"
OWNER_TABLES = [
    Sabotage(name, codes, sql, PUBLIC, found_in="bulkhead")
    for name, codes, sql in (
        (
            "blueprint for the application to read",
            "grant_beyond",
            f"GRANT SELECT ON {_BLUEPRINT} TO {_APP}",
        ),
        ("blueprint for all", "grant_to_public", f"GRANT INSERT ON {_BLUEPRINT} TO PUBLIC"),
        (
            "a column of the blueprint",
            "column_grant",
            f"GRANT UPDATE (content) ON {_BLUEPRINT} TO {_APP}",
        ),
        (
            "blueprint told to another",
            "blueprint_altered",
            f"CREATE RULE tell AS ON UPDATE TO {_BLUEPRINT} DO ALSO NOTIFY told",
        ),
        (
            "blueprint without a seal",
            "blueprint_altered",
            f"ALTER TABLE {_BLUEPRINT} ALTER seal DROP NOT NULL",
        ),
        (
            "blueprint with a line more",
            "blueprint_replaced",
            f"UPDATE {_BLUEPRINT} SET content = replace(content, 'CREATE TABLE', 'CREATE  TABLE')",
        ),
        (
            "blueprint cut off",
            "blueprint_replaced",
            f"UPDATE {_BLUEPRINT} SET content = left(content, 1000)",
        ),
        (
            "record of PostgreSQL's functions for the application to write",
            "grant_beyond",
            f"GRANT UPDATE ON bulkhead.function_record TO {_APP}",
        ),
        (
            "two records of one function",
            "function_record_altered",
            "ALTER TABLE bulkhead.function_record DROP CONSTRAINT function_record_pkey",
        ),
    )
] + [
    Sabotage(
        "table of the blueprint lost",
        "",
        f"DROP TABLE {_BLUEPRINT}",
        PUBLIC,
        also="blueprint_missing",
    ),
    Sabotage(
        "record of PostgreSQL's functions lost",
        "",
        "DROP TABLE bulkhead.function_record",
        PUBLIC,
        also="function_record_missing unreadable",
    ),
    Sabotage(
        "nothing recorded of PostgreSQL's functions",
        "",
        "DELETE FROM bulkhead.function_record",
        PUBLIC,
        also="shipped_functions_unrecorded",
    ),
]
