"""Keys, indexes and references, broken by hand."""

from tests.tenants.catalogue.sabotage import PUBLIC, Sabotage

_ORDER = "ALTER TABLE {schema}.trading_order"
_REQUEST = "ALTER TABLE {schema}.trading_idempotentrequest"
_KEY = "trading_idempotentrequest_pkey"
_REFERENCE = "trading_order_account_same_owner"

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

SHARED = [
    *(
        Sabotage(
            f"shared table without {name}",
            codes,
            f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE",
            PUBLIC,
        )
        for table, name, codes in (
            ("tenants_domain", "tenants_domain_domain_key", "constraint_missing"),
            ("tenants_tenant", "tenants_tenant_slug_key", "constraint_missing"),
            ("accounts_user", "accounts_user_email_key", "constraint_missing"),
            ("tenants_tenant", "tenant_schema_is_its_own", "constraint_missing"),
            ("market_candle", "market_candle_pkey", "constraint_missing"),
            ("accounts_recoverycode", "accounts_recoverycode_pkey", "constraint_missing"),
        )
    ),
    Sabotage(
        "shared table's reference lost",
        "constraint_missing",
        "DO $$ DECLARE found name; BEGIN SELECT conname INTO found FROM pg_constraint"
        " WHERE conrelid = 'tenants_domain'::regclass AND contype = 'f';"
        " EXECUTE format('ALTER TABLE tenants_domain DROP CONSTRAINT %I', found); END $$",
        PUBLIC,
    ),
    Sabotage("shared table's index lost", "index_missing", "DROP INDEX tick_newest", PUBLIC),
    Sabotage(
        "shared table's rule weakened",
        "constraint_altered",
        "ALTER TABLE tenants_tenant DROP CONSTRAINT tenant_schema_is_its_own,"
        " ADD CONSTRAINT tenant_schema_is_its_own CHECK (true)",
        PUBLIC,
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
        "reference without the owner",
        "foreign_key_without_owner",
        f"{_ORDER} DROP CONSTRAINT {_REFERENCE}, ADD CONSTRAINT {_REFERENCE}"
        " FOREIGN KEY (tenant_id, account_id) REFERENCES {schema}.trading_account"
        " DEFERRABLE INITIALLY DEFERRED",
    ),
    Sabotage(
        "reference with the owner in the wrong place",
        "constraint_not_valid foreign_key_without_owner",
        f"{_ORDER} DROP CONSTRAINT {_REFERENCE}, ADD CONSTRAINT {_REFERENCE}"
        " FOREIGN KEY (tenant_id, account_id, user_id)"
        " REFERENCES {schema}.trading_account (tenant_id, user_id, id)"
        " DEFERRABLE INITIALLY DEFERRED NOT VALID",
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
        " FOREIGN KEY (tenant_id, user_id, account_id)"
        " REFERENCES {schema}.trading_account (tenant_id, user_id, id)"
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
        "trigger_disabled trigger_disabled",
        "ALTER TABLE {schema}.trading_balance DISABLE TRIGGER ALL",
        by_owner=False,
    ),
]
