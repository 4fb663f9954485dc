"""Policies, grants and functions, broken by hand."""

from tests.tenants.catalogue.sabotage import BOTH, DEDICATED, PUBLIC, Sabotage, server_wide

_APP = "bulkhead_app"
_WALL = "POLICY tenant_wall ON {schema}.trading_order"

POLICIES = [
    Sabotage("rls off", "rls_off", "ALTER TABLE {schema}.trading_order DISABLE ROW LEVEL SECURITY"),
    Sabotage(
        "rls not forced",
        "rls_not_forced",
        "ALTER TABLE {schema}.trading_order NO FORCE ROW LEVEL SECURITY",
    ),
    Sabotage("wall dropped", "policy_missing", f"DROP {_WALL}"),
    Sabotage(
        "owner wall dropped", "policy_missing", "DROP POLICY owner_wall ON {schema}.trading_fill"
    ),
    Sabotage(
        "application's policy dropped",
        "policy_missing",
        "DROP POLICY application ON {schema}.trading_order",
    ),
    Sabotage(
        "second permissive policy",
        "policy_extra",
        "CREATE POLICY support ON {schema}.trading_order USING (true)",
    ),
    Sabotage(
        "second restrictive policy",
        "policy_extra",
        "CREATE POLICY support ON {schema}.trading_order AS RESTRICTIVE USING (true)",
    ),
    Sabotage(
        "wall permissive",
        "policy_permissive",
        f"DROP {_WALL}; CREATE {_WALL} USING ({{tenant_rule}}) WITH CHECK ({{tenant_rule}})",
    ),
    Sabotage("wall for one role", "policy_role", f"ALTER {_WALL} TO {_APP}"),
    Sabotage(
        "wall for one command",
        "policy_command",
        f"DROP {_WALL}; CREATE {_WALL} AS RESTRICTIVE FOR SELECT USING ({{tenant_rule}})",
    ),
    Sabotage("wall lets read all", "policy_altered", f"ALTER {_WALL} USING (true)"),
    Sabotage("wall lets write all", "policy_altered", f"ALTER {_WALL} WITH CHECK (true)"),
    Sabotage(
        "wall with a master key",
        "policy_altered",
        f"ALTER {_WALL} USING ({{tenant_rule}} OR current_setting('app.admin', true) = 'on')",
    ),
    Sabotage(
        "wall believes a setting",
        "policy_altered",
        f"ALTER {_WALL} USING (tenant_id = {{tenant}}) WITH CHECK (tenant_id = {{tenant}})",
    ),
    Sabotage(
        "wall of another schema",
        "policy_altered",
        f"ALTER {_WALL} USING ({{other_rule}}) WITH CHECK ({{other_rule}})",
    ),
    Sabotage(
        "bracket moved in the owner wall",
        "policy_altered",
        "ALTER POLICY owner_wall ON {schema}.trading_order USING (({scope} = 'tenant'::text"
        " OR {scope} = 'user'::text) AND user_id = {user})",
    ),
    Sabotage(
        "shared table open",
        "rls_off",
        "ALTER TABLE accounts_user DISABLE ROW LEVEL SECURITY",
        PUBLIC,
    ),
    Sabotage(
        "shared table without a policy",
        "policy_missing",
        "DROP POLICY shared_insert ON accounts_user",
        PUBLIC,
    ),
    Sabotage(
        "other tenants' rows to be seen",
        "policy_altered",
        "ALTER POLICY shared_read ON tenants_tenant USING (true)",
        PUBLIC,
    ),
    Sabotage(
        "shared policy for all",
        "policy_role",
        "ALTER POLICY shared_read ON tenants_tenant TO PUBLIC",
        PUBLIC,
    ),
    Sabotage(
        "partition without policies",
        "partition_open table_unknown",
        "CREATE TABLE {schema}.bars (at int) PARTITION BY LIST (at);"
        " CREATE TABLE {schema}.bars_1 PARTITION OF {schema}.bars DEFAULT;"
        f" GRANT SELECT ON {{schema}}.bars_1 TO {_APP}",
    ),
]

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
    Sabotage("public reads", "grant_to_public", "GRANT SELECT ON {schema}.trading_order TO PUBLIC"),
    Sabotage(
        "another role reads",
        "grant_to_other",
        "GRANT SELECT ON {schema}.trading_order TO bulkhead_backup",
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
    Sabotage("objects may be made", "grant_above", f"GRANT CREATE ON SCHEMA {{schema}} TO {_APP}"),
    Sabotage("all may make objects", "grant_above", "GRANT CREATE ON SCHEMA {schema} TO PUBLIC"),
    Sabotage(
        "backup enters a schema",
        "grant_above",
        "GRANT USAGE ON SCHEMA {schema} TO bulkhead_backup",
        DEDICATED,
    ),
]

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
    Sabotage(
        "trigger's function does nothing",
        "function_altered",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN NEW; END $$",
        PUBLIC,
    ),
    Sabotage(
        "entry for all",
        "function_callers",
        "GRANT EXECUTE ON FUNCTION enter_tenant TO PUBLIC",
        PUBLIC,
    ),
    Sabotage(
        "proof not for the application",
        "function_not_callable",
        f"REVOKE EXECUTE ON FUNCTION proven_tenant FROM {_APP}",
        PUBLIC,
    ),
    Sabotage("no entry", "function_missing", "DROP FUNCTION enter_tenant", PUBLIC),
    Sabotage(
        "proof of a superuser",
        "owner_wrong",
        "ALTER FUNCTION public.proven_tenant OWNER TO postgres",
        PUBLIC,
        by_owner=False,
    ),
    server_wide(
        "set_config for all", "function_open", "GRANT EXECUTE ON FUNCTION set_config TO PUBLIC"
    ),
    server_wide(
        "locks for the application",
        "function_open",
        f"GRANT EXECUTE ON FUNCTION pg_advisory_xact_lock(bigint) TO {_APP}",
    ),
]

__all__ = ["BOTH", "FUNCTIONS", "GRANTS", "POLICIES"]
