"""What the owner keeps for itself: the tickets' key, the blueprint, the record of functions."""

from tests.tenants.catalogue.sabotage import PUBLIC, Sabotage

_APP = "bulkhead_app"

_KEY = "ALTER TABLE bulkhead.ticket_key"
TICKET_KEY = [
    Sabotage(name, codes, sql, PUBLIC, found_in="bulkhead")
    for name, codes, sql in (
        ("key of the tickets lost", "ticket_key_lost", "DELETE FROM bulkhead.ticket_key"),
        (
            "key of the tickets without a key",
            "ticket_key_altered",
            f"{_KEY} DROP CONSTRAINT ticket_key_pkey",
        ),
        (
            "two keys of the tickets",
            "ticket_key_altered ticket_key_lost",
            f"{_KEY} DROP CONSTRAINT ticket_key_pkey;"
            " INSERT INTO bulkhead.ticket_key SELECT * FROM bulkhead.ticket_key",
        ),
        (
            "key of the tickets that a crash empties",
            "ticket_key_altered",
            f"{_KEY} SET UNLOGGED",
        ),
        (
            "key of the tickets told to another",
            "ticket_key_altered",
            "CREATE RULE tell AS ON UPDATE TO bulkhead.ticket_key DO ALSO NOTIFY told",
        ),
        (
            "key of the tickets that its reader does not see",
            "ticket_key_altered",
            f"{_KEY} ENABLE ROW LEVEL SECURITY",
        ),
        *(
            (
                f"another {column} of the tickets' key",
                "ticket_key_replaced",
                f"UPDATE bulkhead.ticket_key SET {column} = sha256('mine')"
                + (" || sha256('mine')" if column.endswith("pad") else ""),
            )
            for column in ("inner_pad", "outer_pad", "proof_key")
        ),
    )
] + [
    Sabotage(
        "table of the tickets' key lost",
        "",
        "DROP TABLE bulkhead.ticket_key",
        PUBLIC,
        also="ticket_key_missing unreadable",
    ),
]

_BLUEPRINT = "bulkhead.blueprint"
OWNER_TABLES = [
    Sabotage(name, codes, sql, PUBLIC, found_in="bulkhead")
    for name, codes, sql in (
        (
            "blueprint for the application to read",
            "grant_beyond",
            f"GRANT SELECT ON {_BLUEPRINT} TO {_APP}",
        ),
        ("blueprint for all", "grant_to_public", f"GRANT INSERT ON {_BLUEPRINT} TO PUBLIC"),
        (
            "a column of the blueprint",
            "column_grant",
            f"GRANT UPDATE (content) ON {_BLUEPRINT} TO {_APP}",
        ),
        (
            "blueprint told to another",
            "blueprint_altered",
            f"CREATE RULE tell AS ON UPDATE TO {_BLUEPRINT} DO ALSO NOTIFY told",
        ),
        (
            "blueprint without a seal",
            "blueprint_altered",
            f"ALTER TABLE {_BLUEPRINT} ALTER seal DROP NOT NULL",
        ),
        (
            "blueprint with a line more",
            "blueprint_replaced",
            f"UPDATE {_BLUEPRINT} SET content = replace(content, 'CREATE TABLE', 'CREATE  TABLE')",
        ),
        (
            "blueprint cut off",
            "blueprint_replaced",
            f"UPDATE {_BLUEPRINT} SET content = left(content, 1000)",
        ),
        (
            "record of PostgreSQL's functions for the application to write",
            "grant_beyond",
            f"GRANT UPDATE ON bulkhead.function_record TO {_APP}",
        ),
        (
            "changed rows for the application to write",
            "grant_beyond",
            f"GRANT INSERT ON bulkhead.changed_row TO {_APP}",
        ),
        (
            "changed rows that whoever moves a tenant invents",
            "grant_to_other",
            "GRANT INSERT ON bulkhead.changed_row TO bulkhead_mover",
        ),
        (
            "changed rows of nobody",
            "changed_row_altered",
            "ALTER TABLE bulkhead.changed_row ALTER tenant_id DROP NOT NULL",
        ),
        (
            "ledger of the schemas for the application to write",
            "grant_beyond",
            f"GRANT UPDATE ON bulkhead.fleet_ledger TO {_APP}",
        ),
        (
            "two rows of one schema in the ledger",
            "fleet_ledger_altered",
            "ALTER TABLE bulkhead.fleet_ledger DROP CONSTRAINT fleet_ledger_pkey",
        ),
        (
            "ledger that says of a schema what is not on its record",
            "ledger_differs",
            "UPDATE bulkhead.fleet_ledger SET digest = repeat('0', 64)"
            " WHERE schema = '{dedicated}'",
        ),
        (
            "ledger of a schema that is not there",
            "ledger_stray",
            "INSERT INTO bulkhead.fleet_ledger (schema, digest, migrations, at, error)"
            " VALUES ('tenant_' || repeat('0', 32), 'x', 1, now(), '')",
        ),
        (
            "a table of nobody's among the owner's",
            "owner_table_unknown",
            "CREATE TABLE bulkhead.attic (LIKE public.trading_order)",
        ),
        (
            "two records of one function",
            "function_record_altered",
            "ALTER TABLE bulkhead.function_record DROP CONSTRAINT function_record_pkey",
        ),
    )
] + [
    Sabotage(
        "table of the blueprint lost",
        "",
        f"DROP TABLE {_BLUEPRINT}",
        PUBLIC,
        also="blueprint_missing",
    ),
    Sabotage(
        "table of changed rows lost",
        "",
        "DROP TABLE bulkhead.changed_row",
        PUBLIC,
        also="changed_row_missing",
    ),
    Sabotage(
        "ledger of the schemas lost",
        "",
        "DROP TABLE bulkhead.fleet_ledger",
        PUBLIC,
        also="fleet_ledger_missing",
    ),
    Sabotage(
        "record of PostgreSQL's functions lost",
        "",
        "DROP TABLE bulkhead.function_record",
        PUBLIC,
        also="function_record_missing unreadable",
    ),
    Sabotage(
        "nothing recorded of PostgreSQL's functions",
        "",
        "DELETE FROM bulkhead.function_record",
        PUBLIC,
        also="shipped_functions_unrecorded",
    ),
]
