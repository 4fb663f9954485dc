"""Strange log-ins, the database, tenants' places and migrations, broken by hand."""

from tests.tenants.catalogue.sabotage import DEDICATED, PUBLIC, Sabotage, server_wide

_APP = "bulkhead_app"

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
