"""What each table would be on more machines than one, and what would keep it from being that.

Most of what Citus asks of a table the walls ask for anyway: `columns`, `keys`, `references` and
`tables` look at the type and the default of `tenant_id`, at keys and uniqueness, at where
references lead, at sequences and heirs. Here is the rest. docs/scaling.md says who asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tenants.catalogue.subject import COMMON, Cursor, Subject

# What `enter_tenant` reads before the tenant is entered, so that every machine needs it at hand.
EVERYWHERE = ("tenants_plan", "tenants_tenant")


class Kind(StrEnum):
    """What a table would be."""

    DISTRIBUTED = "distributed"  # its rows lie where their tenant's do
    SHARD = "shard"  # of a dedicated schema, which lies on one machine as a whole
    REFERENCE = "reference"  # the same rows on every machine
    LOCAL = "local"  # where the platform is


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A table that stands in the live database, and what it would be."""

    kind: Kind
    schema: str
    table: str


_PLACES = """
SELECT CASE WHEN s.tenant_id IS NOT NULL THEN 'shard' WHEN s.kind = 'tenant' THEN 'distributed'
            WHEN s.tab = ANY (%(everywhere)s) THEN 'reference' ELSE 'local' END, s.schema, s.tab
  FROM seat s
"""


def places(cursor: Cursor, facts: Mapping[str, Any]) -> list[Place]:
    """Every table that the code knows, in every schema, sorted."""
    cursor.execute(COMMON + _PLACES, facts)
    return sorted(Place(Kind(kind), schema, table) for kind, schema, table in cursor.fetchall())


REFERENCES = Subject(
    """
SELECT 'foreign_key_action', s.schema, s.tab || '.' || k.conname, pg_get_constraintdef(k.oid)
  FROM tenant_seat s
  JOIN pg_catalog.pg_constraint k ON k.conrelid = s.oid AND k.contype = 'f' AND k.conparentid = 0
 WHERE k.confdeltype IN ('n', 'd') OR k.confupdtype IN ('n', 'd', 'c')
UNION ALL
SELECT 'foreign_key_from_everywhere', s.schema, s.tab || '.' || k.conname,
       pg_get_constraintdef(k.oid)
  FROM seat s
  JOIN pg_catalog.pg_constraint k ON k.conrelid = s.oid AND k.contype = 'f'
  LEFT JOIN seat t ON t.oid = k.confrelid
 WHERE s.tab = ANY (%(everywhere)s) AND (t.tab = ANY (%(everywhere)s)) IS NOT TRUE
""",
    {
        "foreign_key_action": "With the tenant in the key, this would change the tenant of rows"
        " that stay where they are: {detail}. Make it NO ACTION.",
        "foreign_key_from_everywhere": "Every machine needs this table at hand to enter a tenant,"
        " and would need what it refers to as well: {detail}. Keep the plain column and drop the"
        " constraint.",
    },
)

ROWS = Subject(
    """
SELECT 'trigger_unexplained', s.schema, s.tab || '.' || t.tgname, t.tgfoid::regprocedure::text
  FROM tenant_seat s
  JOIN pg_catalog.pg_trigger t ON t.tgrelid = s.oid AND NOT t.tgisinternal AND t.tgparentid = 0
 WHERE t.tgfoid::regprocedure::text <> ALL (%(explained)s)
UNION ALL
SELECT 'replica_identity', s.schema, s.tab, NULL
  FROM tenant_seat s JOIN pg_catalog.pg_class c ON c.oid = s.oid AND c.relreplident = 'n'
""",
    {
        "trigger_unexplained": "Nobody has said what {detail} would do on a machine that has only"
        " some of the rows. Say it where the function is declared (`on_a_shard`), or drop the"
        " trigger in {schema}.",
        "replica_identity": "Rows without an identity can't be carried to another machine while"
        " they are changed. ALTER TABLE {schema}.{object} REPLICA IDENTITY DEFAULT.",
    },
)

POLICIES = Subject(
    """
SELECT DISTINCT 'policy_reads_table', s.schema, s.tab || '.' || p.polname,
       d.refobjid::regclass::text
  FROM seat s
  JOIN pg_catalog.pg_policy p ON p.polrelid = s.oid
  JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid
   AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> s.oid
""",
    {
        "policy_reads_table": "This policy reads {detail}, which may lie on another machine; a rule"
        " about the row and the transaction alone holds on every one. Say it by a function.",
    },
)
