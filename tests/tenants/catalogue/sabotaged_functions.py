"""Functions and their callers, changed by hand."""

from tests.tenants.catalogue.sabotage import PUBLIC, Sabotage, server_wide

_APP = "bulkhead_app"

FUNCTIONS = [
    Sabotage(
        "second definer",
        "definer_unknown",
        "CREATE FUNCTION {schema}.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT count(*) FROM public.trading_order'",
    ),
    Sabotage(
        "function for all",
        "function_unknown",
        "CREATE FUNCTION {schema}.peek() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
    ),
    Sabotage(
        "proof always true",
        "function_altered",
        "CREATE OR REPLACE FUNCTION proven_tenant(p_schema text) RETURNS uuid LANGUAGE plpgsql"
        " STABLE SECURITY DEFINER AS $$ BEGIN"
        " RETURN current_setting('app.current_tenant_id', true)::uuid; END $$",
        PUBLIC,
    ),
    Sabotage(
        "entry with the caller's rights",
        "function_altered",
        "ALTER FUNCTION enter_tenant SECURITY INVOKER",
        PUBLIC,
    ),
    Sabotage(
        "entry with a path of its own",
        "function_altered",
        "ALTER FUNCTION enter_tenant SET search_path = public",
        PUBLIC,
    ),
    *(
        Sabotage(
            f"{name} {change}",
            "function_altered",
            f"ALTER FUNCTION {name} {change}",
            PUBLIC,
        )
        for name in ("enter_tenant", "proven_tenant", "proven_owner")
        for change in ("STRICT", "IMMUTABLE", "PARALLEL SAFE", "SET search_path = public")
    ),
    Sabotage(
        "owner always somebody",
        "function_altered",
        "CREATE OR REPLACE FUNCTION proven_owner(p_schema text) RETURNS uuid LANGUAGE plpgsql"
        " STABLE SECURITY DEFINER AS $$ BEGIN"
        " RETURN current_setting('app.current_user_id', true)::uuid; END $$",
        PUBLIC,
    ),
    Sabotage(
        "trigger's function does nothing",
        "function_altered",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN NEW; END $$",
        PUBLIC,
    ),
    *(
        Sabotage(
            f"{name} does nothing",
            "function_altered",
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN NULL; END $$",
            PUBLIC,
        )
        for name in ("chain_audit_event", "chain_platform_event")
    ),
    Sabotage(
        "chain with its owner's rights",
        "function_altered",
        "ALTER FUNCTION chain_audit_event SECURITY DEFINER",
        PUBLIC,
    ),
    Sabotage(
        "chain for the application to call",
        "function_callers",
        f"GRANT EXECUTE ON FUNCTION chain_audit_event TO {_APP}",
        PUBLIC,
    ),
    Sabotage(
        "entry for all",
        "function_callers",
        "GRANT EXECUTE ON FUNCTION enter_tenant TO PUBLIC",
        PUBLIC,
    ),
    Sabotage(
        "entry to hand on",
        "function_callers",
        f"GRANT EXECUTE ON FUNCTION enter_tenant TO {_APP} WITH GRANT OPTION",
        PUBLIC,
    ),
    Sabotage(
        "proof not for the application",
        "function_not_callable",
        f"REVOKE EXECUTE ON FUNCTION proven_tenant FROM {_APP}",
        PUBLIC,
    ),
    Sabotage(
        "no chain",
        "function_missing",
        "DROP FUNCTION chain_audit_event CASCADE",
        PUBLIC,
        also="migrations_not_replayable",
        anew=True,
    ),
    Sabotage(
        "no entry",
        "function_missing ticket_altered",
        "DROP FUNCTION enter_tenant CASCADE",
        PUBLIC,
    ),
    Sabotage("no ticket", "ticket_missing", "DROP DOMAIN tenant_ticket", PUBLIC),
    Sabotage(
        "ticket for anything",
        "ticket_altered",
        # PostgreSQL sets no savepoint straight after a constraint of a domain has gone.
        "ALTER DOMAIN tenant_ticket DROP CONSTRAINT enters;"
        " COMMENT ON DOMAIN tenant_ticket IS 'anything'",
        PUBLIC,
    ),
    Sabotage(
        "ticket that asks another",
        "ticket_altered",
        "ALTER DOMAIN tenant_ticket DROP CONSTRAINT enters;"
        " ALTER DOMAIN tenant_ticket ADD CONSTRAINT enters CHECK (VALUE IS NOT NULL)",
        PUBLIC,
    ),
    Sabotage(
        "ticket that asks twice",
        "ticket_altered",
        "ALTER DOMAIN tenant_ticket ADD CHECK (VALUE[1] IS NOT NULL)",
        PUBLIC,
    ),
    Sabotage(
        "ticket whose rule has another name",
        "ticket_altered",
        "ALTER DOMAIN public.tenant_ticket RENAME CONSTRAINT enters TO other",
        PUBLIC,
    ),
    Sabotage(
        "ticket for everybody",
        "ticket_altered",
        "GRANT USAGE ON DOMAIN public.tenant_ticket TO PUBLIC",
        PUBLIC,
    ),
    Sabotage(
        "ticket of the backup's",
        "ticket_altered",
        "ALTER DOMAIN public.tenant_ticket OWNER TO bulkhead_backup",
        PUBLIC,
        by_owner=False,
    ),
    Sabotage(
        "proof of a superuser",
        "owner_wrong",
        "ALTER FUNCTION public.proven_tenant OWNER TO postgres",
        PUBLIC,
        by_owner=False,
    ),
    Sabotage(
        "entry of the backup's",
        "owner_wrong",
        "ALTER FUNCTION public.enter_tenant OWNER TO bulkhead_backup",
        PUBLIC,
        by_owner=False,
    ),
    server_wide(
        "statements of others for all",
        "function_open",
        "GRANT EXECUTE ON FUNCTION pg_stat_get_backend_activity TO PUBLIC",
    ),
    server_wide(
        "sizes for the application",
        "function_open",
        f"GRANT EXECUTE ON FUNCTION pg_relation_size(regclass, text) TO {_APP}",
    ),
    server_wide("sessions for all", "view_open", "GRANT SELECT ON pg_stat_activity TO PUBLIC"),
    server_wide("one column for all", "view_open", "GRANT SELECT (pid) ON pg_locks TO PUBLIC"),
    server_wide(
        "set_config for all", "function_open", "GRANT EXECUTE ON FUNCTION set_config TO PUBLIC"
    ),
    *(
        server_wide(
            f"{function} for the backup's log-in{how.lower()}",
            "backup_function_open",
            f"GRANT EXECUTE ON FUNCTION {function} TO bulkhead_backup{how}",
        )
        for function, how in (
            ("lo_from_bytea(oid, bytea)", ""),
            ("pg_create_physical_replication_slot", ""),
            ("pg_read_file(text)", ""),
            ("now()", ""),
            ("pg_switch_wal()", " WITH GRANT OPTION"),
        )
    ),
    server_wide(
        "WAL that the backup's log-in cannot have handed over",
        "backup_function_shut",
        "REVOKE EXECUTE ON FUNCTION pg_switch_wal() FROM bulkhead_backup",
    ),
    server_wide(
        "text into the WAL for all",
        "function_open",
        "GRANT EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text, boolean) TO PUBLIC",
    ),
    server_wide(
        "locks for the application",
        "function_open",
        f"GRANT EXECUTE ON FUNCTION pg_advisory_xact_lock(bigint) TO {_APP}",
    ),
]
