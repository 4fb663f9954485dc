"""Tables, columns, keys and what stands beside them, broken by hand."""

from tests.tenants.catalogue.sabotage import DEDICATED, PUBLIC, Sabotage

_ORDER = "ALTER TABLE {schema}.trading_order"
_REQUEST = "ALTER TABLE {schema}.trading_idempotentrequest"
_KEY = "trading_idempotentrequest_pkey"
_REFERENCE = "trading_order_account_same_tenant"

KEYS = [
    Sabotage(
        "key without the tenant",
        "primary_key",
        f"{_REQUEST} DROP CONSTRAINT {_KEY}, ADD CONSTRAINT {_KEY} PRIMARY KEY (id)",
    ),
    Sabotage(
        "key the wrong way round",
        "primary_key",
        f"{_REQUEST} DROP CONSTRAINT {_KEY}, ADD CONSTRAINT {_KEY} PRIMARY KEY (id, tenant_id)",
    ),
    Sabotage(
        "nobody's rows",
        "primary_key tenant_id_nullable",
        f"{_REQUEST} DROP CONSTRAINT {_KEY}, ALTER tenant_id DROP NOT NULL",
    ),
    Sabotage(
        "unique across tenants",
        "unique_without_tenant",
        f"{_ORDER} ADD CONSTRAINT one UNIQUE (client_order_id)",
    ),
    Sabotage(
        "excluded across tenants",
        "unique_without_tenant",
        f"{_ORDER} ADD CONSTRAINT one EXCLUDE USING hash (client_order_id WITH =)",
    ),
    Sabotage(
        "index without the tenant",
        "index_without_tenant",
        "CREATE INDEX fast ON {schema}.trading_order (status)",
    ),
    Sabotage(
        "index on an expression",
        "index_without_tenant",
        "CREATE INDEX fast ON {schema}.trading_order (lower(status), tenant_id)",
    ),
    Sabotage(
        "index unfinished",
        "index_invalid",
        "SET LOCAL allow_system_table_mods = on; UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = '{schema}.order_newest'::regclass",
        by_owner=False,
    ),
    Sabotage("index lost", "index_missing", "DROP INDEX {schema}.order_newest"),
    Sabotage(
        "index nobody wrote",
        "index_extra",
        "CREATE INDEX fast ON {schema}.trading_order (tenant_id, status)",
    ),
    Sabotage(
        "index on other columns",
        "index_altered",
        "DROP INDEX {schema}.order_newest;"
        " CREATE INDEX order_newest ON {schema}.trading_order (tenant_id, created_at)",
    ),
]

REFERENCES = [
    Sabotage(
        "reference to a shared table",
        "foreign_key_to_shared",
        f"{_ORDER} ADD CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES accounts_user",
    ),
    Sabotage(
        "reference into another schema",
        "foreign_key_leaves_schema",
        f"{_ORDER} ADD CONSTRAINT astray FOREIGN KEY (tenant_id, account_id)"
        " REFERENCES {other}.trading_account DEFERRABLE",
    ),
    Sabotage(
        "reference that does not start with the tenant",
        "foreign_key_without_tenant",
        f"{_ORDER} DROP CONSTRAINT {_REFERENCE}, ADD CONSTRAINT {_REFERENCE}"
        " FOREIGN KEY (account_id, tenant_id) REFERENCES {schema}.trading_account (id, tenant_id)",
    ),
    Sabotage(
        "reference checked at once",
        "foreign_key_not_deferrable",
        f"{_ORDER} ALTER CONSTRAINT {_REFERENCE} NOT DEFERRABLE",
    ),
    Sabotage(
        "reference without an index",
        "foreign_key_without_index index_missing",
        "DROP INDEX {schema}.position_of_account",
    ),
    Sabotage("reference lost", "constraint_missing", f"{_ORDER} DROP CONSTRAINT {_REFERENCE}"),
    Sabotage(
        "reference not validated",
        "constraint_not_valid",
        f"{_ORDER} DROP CONSTRAINT {_REFERENCE}, ADD CONSTRAINT {_REFERENCE}"
        " FOREIGN KEY (tenant_id, account_id) REFERENCES {schema}.trading_account"
        " DEFERRABLE INITIALLY DEFERRED NOT VALID",
    ),
    Sabotage(
        "shared table refers to tenants' rows",
        "foreign_key_into_tenants",
        "ALTER TABLE accounts_membership ADD FOREIGN KEY (tenant_id, id)"
        " REFERENCES {schema}.trading_account",
        found_in="public",
    ),
    Sabotage(
        "reference's trigger disabled",
        "trigger_disabled",
        "ALTER TABLE {schema}.trading_balance DISABLE TRIGGER ALL",
        by_owner=False,
    ),
]

COLUMNS = [
    Sabotage("default lost", "tenant_id_default", f"{_ORDER} ALTER tenant_id DROP DEFAULT"),
    Sabotage(
        "default of another tenant",
        "tenant_id_default",
        f"{_ORDER} ALTER tenant_id SET DEFAULT '{{tenant_id}}'",
    ),
    Sabotage("serial", "sequence_in_tenant_table", f"{_ORDER} ADD COLUMN number bigserial"),
    Sabotage(
        "identity",
        "sequence_in_tenant_table",
        f"{_ORDER} ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY",
    ),
    Sabotage(
        "another table's sequence",
        "sequence_in_tenant_table",
        f"{_ORDER} ALTER fees SET DEFAULT nextval('{{schema}}.django_migrations_id_seq')",
    ),
    Sabotage("column lost", "column_missing", f"{_ORDER} DROP COLUMN status_reason"),
    Sabotage("column nobody wrote", "column_extra", f"{_ORDER} ADD COLUMN remark text"),
    Sabotage("column wider", "column_altered", f"{_ORDER} ALTER status_reason TYPE text"),
    Sabotage("column nullable", "column_altered", f"{_ORDER} ALTER status_reason DROP NOT NULL"),
    Sabotage(
        "column with a default", "column_altered", f"{_ORDER} ALTER status_reason SET DEFAULT ''"
    ),
    Sabotage(
        "shared column wider",
        "column_altered",
        "ALTER TABLE accounts_user ALTER email TYPE text",
        PUBLIC,
    ),
    Sabotage(
        "check lost", "constraint_missing", f"{_ORDER} DROP CONSTRAINT order_quantity_is_positive"
    ),
    Sabotage(
        "check weaker",
        "constraint_altered",
        f"{_ORDER} DROP CONSTRAINT order_quantity_is_positive,"
        " ADD CONSTRAINT order_quantity_is_positive CHECK (quantity > -1)",
    ),
    Sabotage(
        "check nobody wrote", "constraint_extra", f"{_ORDER} ADD CONSTRAINT odd CHECK (fees < 9)"
    ),
]

SAFEGUARDS = [
    Sabotage(
        "constant lost",
        "one_tenant_missing",
        f"{_ORDER} DROP CONSTRAINT trading_order_one_tenant",
        DEDICATED,
    ),
    Sabotage(
        "constant of another tenant",
        "one_tenant_altered",
        f"{_ORDER} DROP CONSTRAINT trading_order_one_tenant, ADD CONSTRAINT"
        " trading_order_one_tenant CHECK (tenant_id = '00000000-0000-0000-0000-000000000000')",
        DEDICATED,
    ),
    Sabotage(
        "trigger lost", "append_only_missing", "DROP TRIGGER append_only ON {schema}.trading_fill"
    ),
    Sabotage(
        "trigger disabled",
        "append_only_disabled",
        "ALTER TABLE {schema}.trading_fill DISABLE TRIGGER append_only",
    ),
    Sabotage(
        "trigger for replicas only",
        "append_only_disabled",
        "ALTER TABLE {schema}.trading_fill ENABLE REPLICA TRIGGER append_only",
    ),
    Sabotage(
        "trigger with an exception",
        "append_only_altered",
        "CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON {schema}.trading_fill"
        " FOR EACH ROW WHEN (old.fee > 0) EXECUTE FUNCTION refuse_change()",
    ),
    Sabotage(
        "trigger of another name",
        "append_only_missing trigger_extra",
        "ALTER TRIGGER append_only ON {schema}.trading_fill RENAME TO harmless",
    ),
    Sabotage(
        "trigger nobody wrote",
        "trigger_extra",
        "CREATE TRIGGER odd BEFORE DELETE ON {schema}.trading_order"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    ),
]

TABLES = [
    Sabotage("table lost", "table_missing", "DROP TABLE {schema}.trading_idempotentrequest"),
    Sabotage("shared table lost", "shared_table_missing", "DROP TABLE django_session", PUBLIC),
    Sabotage("table nobody wrote", "table_unknown", "CREATE TABLE {schema}.notes (id uuid)"),
    Sabotage(
        "heir of a tenant table",
        "table_unknown",
        "CREATE TABLE {schema}.old () INHERITS ({schema}.trading_idempotentrequest)",
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
