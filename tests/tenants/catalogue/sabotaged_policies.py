"""Policies and their switches, broken by hand."""

from tests.tenants.catalogue.sabotage import PUBLIC, Sabotage

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
        "owner wall open where nothing is proven",
        "policy_altered",
        "ALTER POLICY owner_wall ON {schema}.trading_order USING ("
        "CASE {owner} WHEN user_id THEN true WHEN '00000000-0000-0000-0000-000000000000'::uuid"
        " THEN true ELSE true END)",
    ),
    Sabotage(
        "owner wall open to somebody",
        "policy_altered",
        "ALTER POLICY owner_wall ON {schema}.trading_order USING ("
        "CASE {owner} WHEN user_id THEN true WHEN '00000000-0000-0000-0000-000000000001'::uuid"
        " THEN true ELSE false END)",
    ),
    Sabotage(
        "owner wall believes a setting",
        "policy_altered",
        "ALTER POLICY owner_wall ON {schema}.trading_order USING ({owner_rule}"
        " OR current_setting('app.current_scope', true) = 'tenant')",
    ),
    Sabotage(
        "owner wall of another schema",
        "policy_altered",
        "ALTER POLICY owner_wall ON {schema}.trading_order USING ({other_owner_rule})",
    ),
    Sabotage(
        "shared table open",
        "rls_off",
        "ALTER TABLE accounts_user DISABLE ROW LEVEL SECURITY",
        PUBLIC,
    ),
    Sabotage(
        "shared table forced",
        "rls_forced",
        "ALTER TABLE accounts_user FORCE ROW LEVEL SECURITY",
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
        "shared wall asks for a setting that is never made",
        "policy_altered",
        "ALTER POLICY shared_read ON accounts_user USING ((SELECT"
        " nullif(current_setting('app.current_tenant_ id', true), '')::uuid) IS NULL)",
        PUBLIC,
    ),
    Sabotage(
        "wall of a schema with a blank in its name",
        "policy_altered",
        f"ALTER {_WALL} USING (tenant_id = (SELECT proven_tenant('{{schema}} ')))",
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
