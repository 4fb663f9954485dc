"""A chain over the rows of a trail, as SQL: each link holds the digest of all before it. Pure.

A deferred trigger writes the links at COMMIT, so that the lock on the end of a chain is held for
the flush alone. Names are qualified but for a tenant's tables: those are found by the search_path
in the tenant's own schema, as `enter_tenant` has set it.

The function has the rights of whoever wrote the event, and so the application has those to write
links and heads: by a trigger it may use them, by a statement of its own it may not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tenants.roles import APP

TRIGGER = "chained"
KEEPER = "by_the_chain"
KEEPERS_FUNCTION = "public.refuse_by_hand()"
GENESIS = "00" * 32  # what stands before the first link, in hex

_DIGEST = """pg_catalog.sha256({previous} OPERATOR(pg_catalog.||) pg_catalog.convert_to(
        pg_catalog.jsonb_build_array({number}, {fields})::text, 'UTF8'))"""

_FUNCTION = """
CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    v_number bigint;
    v_previous bytea;
    v_digest bytea;
BEGIN
    -- An event that was brought along with its link, by a move or a restore, keeps it.
    IF EXISTS (SELECT FROM {link} l WHERE {same_event}) THEN
        RETURN NULL;
    END IF;
    INSERT INTO {head} ({key}, number, digest)
        VALUES ({key_values}, 0, pg_catalog.decode('{genesis}', 'hex')) ON CONFLICT DO NOTHING;
    SELECT h.number OPERATOR(pg_catalog.+) 1, h.digest INTO STRICT v_number, v_previous
      FROM {head} h WHERE {same_chain} FOR UPDATE;
    v_digest := {digest};
    INSERT INTO {link} ({tenant}id, number, previous, digest)
        VALUES ({new_tenant}NEW.id, v_number, v_previous, v_digest) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the head of {link} is not its last link' USING ERRCODE = 'BH006';
    END IF;
    UPDATE {head} h SET number = v_number, digest = v_digest WHERE {same_chain};
    RETURN NULL;
END
$body$;
REVOKE ALL ON FUNCTION {function} FROM PUBLIC;
"""

CREATE_KEEPER = f"""
CREATE OR REPLACE FUNCTION {KEEPERS_FUNCTION} RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'rows of % are written by the chain alone', TG_TABLE_NAME
        USING ERRCODE = 'BH005';
END
$body$;
REVOKE ALL ON FUNCTION {KEEPERS_FUNCTION} FROM PUBLIC;
"""
# It goes with the last trigger that calls it, in whichever schema.
DROP_KEEPER = f"""
DO $$ BEGIN
    DROP FUNCTION IF EXISTS {KEEPERS_FUNCTION};
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$
"""

_VERIFY = """
WITH chained AS (
    SELECT l.id, l.number, l.previous, l.digest, e.id IS NULL AS is_alone,
           pg_catalog.lag(l.number, 1, 0::bigint) OVER w AS number_before,
           pg_catalog.lag(l.digest, 1, pg_catalog.decode('{genesis}', 'hex')) OVER w
               AS digest_before,
           {digest} AS due
      FROM {link} l LEFT JOIN {event} e ON e.id = l.id
    WINDOW w AS (ORDER BY l.number)
), finish AS (
    SELECT number, digest FROM chained ORDER BY number DESC LIMIT 1
)
SELECT 'event_missing', number, id::text FROM chained WHERE is_alone
UNION ALL
SELECT 'event_altered', number, id::text FROM chained WHERE NOT is_alone AND due <> digest
UNION ALL
SELECT 'number_missing', number, id::text FROM chained WHERE number <> number_before + 1
UNION ALL
SELECT 'link_broken', number, id::text FROM chained WHERE previous <> digest_before
UNION ALL
SELECT 'event_unlinked', NULL, e.id::text FROM {event} e
 WHERE NOT EXISTS (SELECT FROM {link} l WHERE l.id = e.id)
UNION ALL
SELECT 'head_differs', h.number, NULL
  FROM finish f FULL JOIN {head} h ON true
 WHERE (f.number, f.digest) IS DISTINCT FROM (h.number, h.digest)
 ORDER BY 2, 1, 3
"""


@dataclass(frozen=True, slots=True)
class Chain:
    """The tables of a chain, its function, and the fields of an event that it seals.

    `{row}` stands in `fields` for the event. Of several tenants' chains in one table each has its
    own; the others' rows are hidden by the walls.
    """

    function: str
    event: str
    link: str
    head: str
    fields: tuple[str, ...]
    per_tenant: bool

    def create_function(self) -> str:
        """One for all schemas, with the rights of whoever wrote the event."""
        key = ("tenant_id, id", "NEW.tenant_id, NEW.tenant_id") if self.per_tenant else ("id", "1")
        of_tenant = "{}.tenant_id OPERATOR(pg_catalog.=) NEW.tenant_id"
        same_event = "l.id OPERATOR(pg_catalog.=) NEW.id"
        if self.per_tenant:
            same_event = f"{of_tenant.format('l')} AND {same_event}"
        return _FUNCTION.format(
            function=self.function,
            link=self.link,
            head=self.head,
            key=key[0],
            key_values=key[1],
            genesis=GENESIS,
            same_event=same_event,
            same_chain=of_tenant.format("h") if self.per_tenant else "true",
            tenant="tenant_id, " if self.per_tenant else "",
            new_tenant="NEW.tenant_id, " if self.per_tenant else "",
            digest=self._digest(row="NEW", number="v_number", previous="v_previous"),
        )

    def drop_function(self) -> str:
        return f"DROP FUNCTION {self.function}"

    def create_trigger(self) -> str:
        """For the table of events in whichever schema comes first in the search_path."""
        return (
            f"CREATE CONSTRAINT TRIGGER {TRIGGER} AFTER INSERT ON {_bare(self.event)}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            f" EXECUTE FUNCTION {self.function}"
        )

    def drop_trigger(self) -> str:
        return f"DROP TRIGGER {TRIGGER} ON {_bare(self.event)}"

    def keep(self) -> tuple[str, str]:
        """Triggers for links and heads that refuse what the application writes by itself.

        No trigger stands above its statement, and it can make none; whoever owns the tables, or
        moves a tenant, brings the rows as they are.
        """
        return self._keep(self.link), self._keep(self.head)

    def drop_keepers(self) -> list[str]:
        return [f"DROP TRIGGER {KEEPER} ON {_bare(table)}" for table in (self.link, self.head)]

    def verify(self) -> str:
        """Gives code, number and event of everything that is wrong, in one snapshot."""
        return _VERIFY.format(
            event=self.event,
            link=self.link,
            head=self.head,
            genesis=GENESIS,
            digest=self._digest(row="e", number="l.number", previous="l.previous"),
        )

    def count(self) -> str:
        """How many events there are, linked or not."""
        return f"SELECT count(*) FROM {self.event} e"  # noqa: S608 - a constant

    def head_query(self) -> str:
        """Number and digest (hex) of the newest link."""
        return f"SELECT number, pg_catalog.encode(digest, 'hex') FROM {self.head} h"  # noqa: S608 - a constant

    def links_query(self) -> str:
        """Number and digest (hex) of the links with any of the `numbers`."""
        return (
            f"SELECT number, pg_catalog.encode(digest, 'hex') FROM {self.link} l"  # noqa: S608 - a constant
            " WHERE number = ANY (%(numbers)s)"
        )

    def of_one_tenant(self) -> Chain:
        """For whoever sees past the walls: the same queries, of the `tenant` alone."""
        only = "(SELECT * FROM {} WHERE tenant_id = %(tenant)s)"
        event, link, head = (only.format(name) for name in (self.event, self.link, self.head))
        return replace(self, event=event, link=link, head=head)

    def _keep(self, table: str) -> str:
        return (
            f"CREATE TRIGGER {KEEPER} BEFORE INSERT OR UPDATE ON {_bare(table)} FOR EACH ROW"
            f" WHEN (CURRENT_USER = '{APP}'::name AND pg_trigger_depth() = 0)"
            f" EXECUTE FUNCTION {KEEPERS_FUNCTION}"
        )

    def _digest(self, *, row: str, number: str, previous: str) -> str:
        """The one expression of a link, for whoever writes it and whoever checks it."""
        fields = ", ".join(field.format(row=row) for field in self.fields)
        return _DIGEST.format(previous=previous, number=number, fields=fields)


def _bare(table: str) -> str:
    """To be found in whichever schema comes first in the search_path."""
    return table.rpartition(".")[2]


def _microseconds(column: str) -> str:
    """A time as a whole number: its text would depend on the session's time zone."""
    return f"(extract(epoch FROM {{row}}.{column}) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8"


_SAID = (
    "{row}.id",
    _microseconds("at"),
    "{row}.actor",
    "{row}.action",
    "{row}.kind",
    "{row}.key",
    "{row}.before",
    "{row}.after",
    "pg_catalog.host({row}.address)",
    "{row}.request_id",
)

TENANTS = Chain(
    function="public.chain_audit_event()",
    event="audit_auditevent",
    link="audit_auditlink",
    head="audit_audithead",
    fields=("{row}.tenant_id", "{row}.actor_id", *_SAID),
    per_tenant=True,
)
PLATFORM = Chain(
    function="public.chain_platform_event()",
    event="public.accounts_platformevent",
    link="public.accounts_platformlink",
    head="public.accounts_platformhead",
    fields=_SAID,
    per_tenant=False,
)
