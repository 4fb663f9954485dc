"""The owner's own tables: what they keep decides what runs with its rights, or who is believed."""

from __future__ import annotations

from collections.abc import Iterable

from tenants.catalogue.subject import Subject

# As `entry.TICKET_KEYS` and `tenants.owner_tables` make them.
_TABLE = """
, found AS (
    SELECT c.oid, c.relkind <> 'r' OR c.relpersistence <> 'p' OR c.relrowsecurity
           OR EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid)
           OR EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid)
           OR EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid))
           AS is_odd,
           ARRAY(SELECT concat(a.attname, ' ', format_type(a.atttypid, a.atttypmod),
                        CASE WHEN a.attnotnull THEN ' NOT NULL' END)
                   FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  ORDER BY a.attname) AS columns,
           ARRAY(SELECT pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k
                  WHERE k.conrelid = c.oid AND k.contype <> 'n'
                  ORDER BY pg_get_constraintdef(k.oid) COLLATE "C") AS rules
      FROM (SELECT to_regnamespace('bulkhead')::oid AS room) d
      LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = d.room AND c.relname = 'TABLE'
)
SELECT CASE WHEN oid IS NULL THEN 'TABLE_missing' ELSE 'TABLE_altered' END,
       CASE WHEN oid IS NULL THEN '(database)' ELSE 'bulkhead' END, 'TABLE',
       array_to_string(columns || rules, ', ')
  FROM found
 WHERE oid IS NULL OR is_odd OR columns <> ARRAY[COLUMNS] OR rules <> ARRAY[RULES]::text[]
"""


def _table(
    name: str, columns: Iterable[str], rules: Iterable[str], *, missing: str, altered: str
) -> Subject:
    query = (
        _TABLE.replace("TABLE", name)
        .replace("COLUMNS", ", ".join(f"'{column} NOT NULL'" for column in columns))
        .replace("RULES", ", ".join(f"'{rule}'" for rule in rules))
    )
    return Subject(query, {f"{name}_missing": missing, f"{name}_altered": altered})


# With two rows, `enter_tenant` would believe either.
TICKET_KEY = _table(
    "ticket_key",
    ("inner_pad bytea", "only_one boolean", "outer_pad bytea", "proof_key bytea"),
    (
        "CHECK ((length(inner_pad) = 64))",
        "CHECK ((length(outer_pad) = 64))",
        "CHECK ((length(proof_key) = 32))",
        "CHECK (only_one)",
        "PRIMARY KEY (only_one)",
    ),
    missing="Without bulkhead.ticket_key no ticket can be checked, and nobody can enter a tenant."
    " Restore the table from a backup, or create it as tenants/entry.py says.",
    altered="This table keeps to one row with the ticket's key only as tenants/entry.py makes it,"
    " not as it is: {detail}. Change it back.",
)
BLUEPRINT = _table(
    "blueprint",
    ("content text", "seal bytea", "state text"),
    ("CHECK ((length(seal) = 32))", "PRIMARY KEY (state)"),
    missing="Without bulkhead.blueprint each process compiles the migrations before its first"
    " dedicated schema. Create the table as tenants/owner_tables.py says.",
    altered="What is kept here runs with the owner's rights, and the table is not as"
    " tenants/owner_tables.py makes it: {detail}. Change it back.",
)
FUNCTION_RECORD = _table(
    "function_record",
    ("definition text", "release integer", "signature text"),
    ("PRIMARY KEY (release, signature)",),
    missing="Without bulkhead.function_record nobody can tell whether PostgreSQL's functions are"
    " still its own. Create the table as tenants/owner_tables.py says; run `manage.py migrate`.",
    altered="PostgreSQL's functions are held to what is kept here, and the table is not as"
    " tenants/owner_tables.py makes it: {detail}. Change it back.",
)
CHANGED_ROW = _table(
    "changed_row",
    ("row_id uuid", "tab text", "tenant_id uuid"),
    (),
    missing="Without bulkhead.changed_row no tenant can be moved, and one that is being moved can"
    " change nothing. Create the table as tenants/owner_tables.py says.",
    altered="What changes while a tenant is moved is noted here, and the table is not as"
    " tenants/owner_tables.py makes it: {detail}. Change it back.",
)
FLEET_LEDGER = _table(
    "fleet_ledger",
    (
        "at timestamp with time zone",
        "digest text",
        "error text",
        "migrations integer",
        "schema text",
    ),
    ("PRIMARY KEY (schema)",),
    missing="Without bulkhead.fleet_ledger nobody knows which schemas lack a migration. Create the"
    " table as tenants/owner_tables.py says, and run `manage.py migrate`.",
    altered="What each schema has is kept here, and the table is not as tenants/owner_tables.py"
    " makes it: {detail}. Change it back.",
)
UNKNOWN = Subject(
    """
SELECT 'owner_table_unknown', 'bulkhead', c.relname, NULL
  FROM pg_catalog.pg_class c
 WHERE c.relnamespace = to_regnamespace('bulkhead')::oid AND c.relkind NOT IN ('i', 'I')
   AND c.relname NOT IN
       ('ticket_key', 'blueprint', 'function_record', 'changed_row', 'fleet_ledger')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) -- see HEIRS
""",
    {
        "owner_table_unknown": "Nobody knows this table, nor whose rows it keeps."
        " DROP TABLE {schema}.{object}.",
    },
)
TABLES = (TICKET_KEY, BLUEPRINT, FUNCTION_RECORD, CHANGED_ROW, FLEET_LEDGER, UNKNOWN)
