"""Columns, checks and triggers, broken by hand."""

from tests.tenants.catalogue.sabotage import DEDICATED, PUBLIC, Sabotage

_ORDER = "ALTER TABLE {schema}.trading_order"

COLUMNS = [
    Sabotage(
        "tenant lost",
        "constraint_missing policy_missing primary_key tenant_id_missing",
        "ALTER TABLE {schema}.trading_idempotentrequest DROP COLUMN tenant_id CASCADE",
        PUBLIC,
    ),
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
        "column_altered index_altered",
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
    Sabotage(
        "constant of one tenant where all live",
        "constraint_extra",
        f"{_ORDER} ADD CONSTRAINT trading_order_one_tenant CHECK (tenant_id = '{{tenant_id}}')",
        PUBLIC,
    ),
    Sabotage(
        "reference by the name of the constant",
        "constraint_extra",
        "ALTER TABLE {schema}.trading_fill ADD CONSTRAINT trading_fill_one_tenant"
        " FOREIGN KEY (tenant_id, user_id, order_id)"
        " REFERENCES {schema}.trading_order (tenant_id, user_id, id) DEFERRABLE INITIALLY DEFERRED",
        PUBLIC,
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
        "changes not noted", "trigger_missing", "DROP TRIGGER note_change ON {schema}.trading_fill"
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
    Sabotage(
        "shared rows of the past may change",
        "append_only_missing",
        "DROP TRIGGER append_only ON accounts_platformevent",
        PUBLIC,
    ),
    Sabotage(
        "events chained no more",
        "trigger_missing",
        "DROP TRIGGER chained ON {schema}.audit_auditevent",
    ),
    Sabotage(
        "chain asleep",
        "trigger_disabled",
        "ALTER TABLE {schema}.audit_auditevent DISABLE TRIGGER chained",
    ),
    Sabotage(
        "chained at once, and so under a lock for long",
        "trigger_altered",
        "DROP TRIGGER chained ON {schema}.audit_auditevent;"
        " CREATE CONSTRAINT TRIGGER chained AFTER INSERT ON {schema}.audit_auditevent"
        " FOR EACH ROW EXECUTE FUNCTION chain_audit_event()",
    ),
    Sabotage(
        "some events not chained",
        "trigger_altered",
        "DROP TRIGGER chained ON {schema}.audit_auditevent;"
        " CREATE CONSTRAINT TRIGGER chained AFTER INSERT ON {schema}.audit_auditevent"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.actor <> 'user:nobody')"
        " EXECUTE FUNCTION chain_audit_event()",
    ),
    *(
        Sabotage(
            f"{table} written by hand",
            "trigger_missing",
            f"DROP TRIGGER by_the_chain ON {{schema}}.{table}",
        )
        for table in ("audit_auditlink", "audit_audithead")
    ),
    Sabotage(
        "heads written by hand by tenants",
        "trigger_altered",
        "CREATE OR REPLACE TRIGGER by_the_chain BEFORE INSERT OR UPDATE ON {schema}.audit_audithead"
        " FOR EACH ROW WHEN (new.number < 0) EXECUTE FUNCTION refuse_by_hand()",
    ),
    Sabotage(
        "the platform's head written by hand",
        "trigger_missing",
        "DROP TRIGGER by_the_chain ON accounts_platformhead",
        PUBLIC,
    ),
    Sabotage(
        "the platform's events chained no more",
        "trigger_missing",
        "DROP TRIGGER chained ON accounts_platformevent",
        PUBLIC,
    ),
]
