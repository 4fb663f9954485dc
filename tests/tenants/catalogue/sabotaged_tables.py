"""Tables and what stands beside them, made and lost by hand."""

from tests.tenants.catalogue.sabotage import DEDICATED, PUBLIC, Sabotage

TABLES = [
    Sabotage("table lost", "table_missing", "DROP TABLE {schema}.trading_idempotentrequest"),
    Sabotage("shared table lost", "shared_table_missing", "DROP TABLE django_session", PUBLIC),
    Sabotage("table nobody wrote", "table_unknown", "CREATE TABLE {schema}.notes (id uuid)"),
    Sabotage(
        "heir of a tenant table",
        "table_unknown",
        "CREATE TABLE {schema}.old () INHERITS ({schema}.trading_idempotentrequest)",
    ),
    Sabotage(
        "heir in another schema",
        "table_heir",
        "CREATE SCHEMA shop; CREATE TABLE shop.heir () INHERITS ({schema}.trading_order)",
        PUBLIC,
        found_in="shop",
    ),
    Sabotage(
        "a tenant's table heir of another's",
        "table_heir",
        "ALTER TABLE {dedicated}.trading_idempotentrequest"
        " INHERIT public.trading_idempotentrequest",
        DEDICATED,
    ),
    Sabotage(
        "partition in another schema",
        "table_heir",
        "CREATE TABLE bulkhead.early PARTITION OF public.market_candle"
        " FOR VALUES FROM ('1980-01-01') TO ('1981-01-01')",
        PUBLIC,
        found_in="bulkhead",
    ),
    Sabotage(
        "table that a crash empties",
        "table_unlogged",
        "ALTER TABLE {schema}.audit_auditevent SET UNLOGGED",
    ),
    Sabotage("sequence nobody owns", "sequence_unknown", "CREATE SEQUENCE {schema}.numbers"),
    Sabotage(
        "view with its owner's rights",
        "view_not_invoker",
        "CREATE VIEW {schema}.totals AS SELECT count(*) FROM {schema}.trading_order",
    ),
    Sabotage(
        "view that says no to its caller's rights",
        "view_not_invoker",
        "CREATE VIEW {schema}.totals WITH (security_invoker = off) AS SELECT 1 AS one",
    ),
    Sabotage(
        "materialized view",
        "materialized_view",
        "CREATE MATERIALIZED VIEW {schema}.totals AS SELECT 1 AS one",
    ),
    Sabotage(
        "rule",
        "rewrite_rule",
        "CREATE RULE quiet AS ON DELETE TO {schema}.trading_order DO INSTEAD NOTHING",
    ),
    Sabotage(
        "table of another owner",
        "owner_wrong",
        "ALTER TABLE {schema}.trading_idempotentrequest OWNER TO postgres",
        by_owner=False,
    ),
    Sabotage(
        "schema of another owner",
        "owner_wrong",
        "ALTER SCHEMA {schema} OWNER TO postgres",
        DEDICATED,
        by_owner=False,
    ),
    Sabotage(
        "table of the application's",
        "role_owns",
        "ALTER TABLE {schema}.trading_idempotentrequest OWNER TO bulkhead_app",
        by_owner=False,
    ),
]
