"""What would keep a table from going to another machine, made by hand."""

from tests.tenants.catalogue.sabotage import PUBLIC, Sabotage

_REFERENCE = "trading_order_account_same_owner"

DISTRIBUTION = [
    *(
        Sabotage(
            f"reference that answers {action}",
            "foreign_key_action",
            f"ALTER TABLE {{schema}}.trading_order DROP CONSTRAINT {_REFERENCE},"
            f" ADD CONSTRAINT {_REFERENCE} FOREIGN KEY (tenant_id, user_id, account_id)"
            f" REFERENCES {{schema}}.trading_account (tenant_id, user_id, id) {action}"
            " DEFERRABLE INITIALLY DEFERRED",
        )
        for action in ("ON DELETE SET NULL (account_id)", "ON UPDATE CASCADE")
    ),
    Sabotage(
        "what is needed everywhere needs something else",
        "constraint_not_valid foreign_key_from_everywhere",
        "ALTER TABLE tenants_plan ADD CONSTRAINT made_by FOREIGN KEY (name)"
        " REFERENCES accounts_user (email) NOT VALID",
        PUBLIC,
    ),
    Sabotage(
        "trigger nobody explained",
        "function_uncalled trigger_unexplained",
        "CREATE FUNCTION {schema}.tell() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'; REVOKE ALL ON FUNCTION {schema}.tell() FROM PUBLIC;"
        " CREATE TRIGGER tell AFTER INSERT ON {schema}.trading_order"
        " FOR EACH ROW EXECUTE FUNCTION {schema}.tell()",
    ),
    Sabotage(
        "rows without an identity",
        "replica_identity",
        "ALTER TABLE {schema}.trading_order REPLICA IDENTITY NOTHING",
    ),
    Sabotage(
        "wall that looks elsewhere",
        "policy_altered policy_reads_table",
        "ALTER POLICY tenant_wall ON {schema}.trading_order"
        " USING ({tenant_rule} AND EXISTS (SELECT FROM tenants_tenant))",
    ),
]
