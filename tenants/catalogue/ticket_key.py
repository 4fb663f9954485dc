"""The key of the tickets: the table keeps to one row, and the row is there."""

from tenants.catalogue.subject import Subject

# As `entry.TICKET_KEYS` makes the table: with two rows, `enter_tenant` would believe either.
TABLE = Subject(
    """
, ticket_key AS (
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
      LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = d.room AND c.relname = 'ticket_key'
)
SELECT CASE WHEN oid IS NULL THEN 'ticket_key_missing' ELSE 'ticket_key_altered' END,
       CASE WHEN oid IS NULL THEN '(database)' ELSE 'bulkhead' END, 'ticket_key',
       array_to_string(columns || rules, ', ')
  FROM ticket_key
 WHERE oid IS NULL OR is_odd
    OR columns <> ARRAY['inner_pad bytea NOT NULL', 'only_one boolean NOT NULL',
                        'outer_pad bytea NOT NULL', 'proof_key bytea NOT NULL']
    OR rules <> ARRAY['CHECK ((length(inner_pad) = 64))', 'CHECK ((length(outer_pad) = 64))',
                      'CHECK ((length(proof_key) = 32))', 'CHECK (only_one)',
                      'PRIMARY KEY (only_one)']
""",
    {
        "ticket_key_missing": "Without bulkhead.ticket_key no ticket can be checked, and nobody can"
        " enter a tenant. Restore the table from a backup, or create it as tenants/entry.py says.",
        "ticket_key_altered": "This table keeps to one row with the ticket's key only as"
        " tenants/entry.py makes it, not as it is: {detail}. Change it back.",
    },
)

# Only the owner may read it.
ROW = Subject(
    """
SELECT 'ticket_key_lost', 'bulkhead', 'ticket_key', count(*)::text
  FROM bulkhead.ticket_key HAVING count(*) <> 1
""",
    {
        "ticket_key_lost": "There has to be one key of the tickets, and there are {detail}, so"
        " that nobody can enter a tenant, or by another's key. Delete what is there and run"
        " `manage.py migrate`.",
    },
)
