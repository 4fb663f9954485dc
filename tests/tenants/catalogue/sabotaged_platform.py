"""Roles, the database, tenants' places and migrations, broken by hand."""

from tests.tenants.catalogue.sabotage import DEDICATED, PUBLIC, Sabotage, server_wide

_APP = "bulkhead_app"

ROLES = [
    *(
        server_wide(
            f"application is {word}",
            "role_attribute",
            f"ALTER ROLE {_APP} {word}",
            anew=word == "SUPERUSER",
        )
        for word in ("SUPERUSER", "BYPASSRLS", "REPLICATION", "CREATEROLE", "CREATEDB")
    ),
    server_wide("owner bypasses policies", "role_attribute", "ALTER ROLE bulkhead_owner BYPASSRLS"),
    *(
        server_wide(f"{role} is {words}", "role_attribute", f"ALTER ROLE {role} {words}")
        for role, words in (
            ("bulkhead_mover", "LOGIN PASSWORD 'x'"),
            ("bulkhead_mover", "NOBYPASSRLS"),
            ("bulkhead_owner", "INHERIT"),
            ("bulkhead_backup", "NOREPLICATION"),
            (_APP, "NOLOGIN"),
        )
    ),
    *(
        server_wide(f"{role} for {member} {how}", codes, f"GRANT {role} TO {member} {how}")
        for role, member, how, codes in (
            ("bulkhead_mover", "bulkhead_owner", "WITH ADMIN OPTION", "role_member_altered"),
            ("bulkhead_mover", "bulkhead_owner", "WITH INHERIT TRUE", "role_member_altered"),
            ("bulkhead_mover", "bulkhead_owner", "WITH SET FALSE", "role_member_altered"),
            ("pg_read_all_data", "bulkhead_backup", "WITH ADMIN OPTION", "role_member_altered"),
            ("pg_read_all_data", "bulkhead_mover", "", "role_member"),
        )
    ),
    server_wide(
        "tenants can't be moved",
        "role_member_missing",
        "REVOKE bulkhead_mover FROM bulkhead_owner",
    ),
    server_wide("application reads all", "role_member", f"GRANT pg_read_all_data TO {_APP}"),
    server_wide(
        "application becomes owner",
        "role_member",
        f"GRANT bulkhead_owner TO {_APP}",
        anew=True,
    ),
    server_wide(
        "application moves tenants",
        "role_member",
        f"GRANT bulkhead_mover TO {_APP}",
        anew=True,
    ),
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
        also="role_missing role_strange grant_above",
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

STRANGERS = [
    *(
        server_wide(
            f"a log-in that is {power}", "role_strange", f"CREATE ROLE somebody {power} LOGIN"
        )
        for power in ("SUPERUSER", "BYPASSRLS", "REPLICATION")
    ),
    *(
        server_wide(
            f"a log-in with {role}",
            "role_strange",
            f"CREATE ROLE somebody LOGIN; GRANT {role} TO somebody",
        )
        for role in ("pg_read_all_data", "pg_execute_server_program")
    ),
    server_wide(
        "a log-in that may become one past the walls",
        "role_strange",
        "CREATE ROLE strong BYPASSRLS; CREATE ROLE somebody LOGIN NOINHERIT;"
        " GRANT strong TO somebody",
    ),
    server_wide(
        "rows from another server",
        "subscription",
        "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=9' PUBLICATION p"
        " WITH (connect = false)",
    ),
    server_wide(
        "a cast that nobody asks for",
        "cast_unasked",
        "CREATE CAST (point AS inet) WITH INOUT AS IMPLICIT",
    ),
    server_wide(
        "a large object for the application",
        "large_object_open",
        f"SELECT lo_create(424242); GRANT SELECT ON LARGE OBJECT 424242 TO {_APP}",
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
    Sabotage(
        "event trigger",
        "function_uncalled",
        "CREATE FUNCTION bulkhead.watch() RETURNS event_trigger LANGUAGE plpgsql"
        " AS $$ BEGIN END $$; REVOKE ALL ON FUNCTION bulkhead.watch() FROM PUBLIC;"
        " ALTER FUNCTION bulkhead.watch() OWNER TO bulkhead_owner;"
        " CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION bulkhead.watch()",
        PUBLIC,
        by_owner=False,
        found_in="bulkhead",
        also="event_trigger",
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
        "constraint_missing tenant_schema_wrong",
        "ALTER TABLE tenants_tenant DROP CONSTRAINT tenant_schema_is_its_own;"
        " UPDATE tenants_tenant SET schema_name = 'tenant_' || repeat('0', 32)"
        " WHERE placement = 'shared'",
        PUBLIC,
    ),
    Sabotage(
        "tenant in a region that nobody has",
        "tenant_region_unknown",
        "UPDATE tenants_tenant SET region = 'atlantis' WHERE slug = 'birch'",
        PUBLIC,
    ),
    Sabotage(
        "migration not on record",
        "migrations_missing",
        "DELETE FROM {schema}.django_migrations WHERE app = 'trading';"
        " DELETE FROM bulkhead.fleet_ledger",
    ),
    Sabotage(
        "migration of another release",
        "migrations_unknown",
        "INSERT INTO {schema}.django_migrations (app, name, applied)"
        " VALUES ('trading', '9999_later', now())",
    ),
]
