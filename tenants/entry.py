"""The database's half of the choke point: `enter_tenant`, and the proof that policies read.

Every name is qualified, because the caller's search_path is in force; no `SET` clause, because
PostgreSQL would restore the search_path that the function is there to choose.
"""

from __future__ import annotations

from tenants.roles import APP, BACKUP, MOVER
from tenants.tickets import LIFETIME

# What `proven_owner` gives in scope `tenant`: no person has this id.
EVERYONE = "00000000-0000-0000-0000-000000000000"
# What the name of the lock begins with that whoever restores a tenant holds; its id follows.
RESTORING = "restoring "

# The keyed digest (`v_proof` is the key) that proves that this very transaction was opened by
# `enter_tenant`: backend and start of the transaction are in it, so one seen elsewhere is worth
# nothing here.
_PROOF = """pg_catalog.encode(pg_catalog.sha256(v_proof
        OPERATOR(pg_catalog.||) pg_catalog.convert_to(pg_catalog.concat_ws('|',
            pg_catalog.current_setting('app.current_tenant_id', true),
            pg_catalog.current_setting('app.current_user_id', true),
            pg_catalog.current_setting('app.current_scope', true),
            pg_catalog.current_setting('app.current_schema', true),
            pg_catalog.pg_backend_pid(),
            extract(epoch FROM pg_catalog.transaction_timestamp())), 'UTF8')
        OPERATOR(pg_catalog.||) v_proof), 'hex')"""

TICKET_KEYS = """
CREATE SCHEMA bulkhead;
REVOKE ALL ON SCHEMA bulkhead FROM PUBLIC;
CREATE TABLE bulkhead.ticket_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    inner_pad bytea NOT NULL CHECK (length(inner_pad) = 64),
    outer_pad bytea NOT NULL CHECK (length(outer_pad) = 64),
    proof_key bytea NOT NULL CHECK (length(proof_key) = 32)
);
REVOKE ALL ON bulkhead.ticket_key FROM PUBLIC;
"""

ENTER_TENANT = f"""
CREATE OR REPLACE FUNCTION public.enter_tenant(
    p_tenant uuid, p_user uuid, p_scope text, p_issued_at bigint, p_mac bytea
) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER AS $body$
DECLARE
    v_inner bytea;
    v_outer bytea;
    v_proof bytea;
    v_ticket bytea;
    v_status text;
    v_schema text;
    v_timeout integer;
    v_moving boolean;
    v_path text;
    v_set text;
    v_lock bigint;
BEGIN
    IF pg_catalog.current_setting('app.current_tenant_id', true) OPERATOR(pg_catalog.<>) '' THEN
        RAISE EXCEPTION 'a tenant is already entered in this transaction'
            USING ERRCODE = 'BH004';
    END IF;

    -- Shared with every other transaction of the tenant; whoever moves or restores the tenant asks
    -- for it alone. First of all, since what is read has to be as they left it; a ticket that is
    -- refused lets go of it at once.
    v_lock := ('x' OPERATOR(pg_catalog.||) pg_catalog.right(
        pg_catalog.replace(p_tenant::text, '-', ''), 16))::bit(64)::bigint;
    IF NOT pg_catalog.pg_try_advisory_xact_lock_shared(v_lock) THEN
        -- A move takes a moment, and is waited for. A restore takes as long as there are rows: it
        -- has another lock too, by which whoever comes meanwhile is refused.
        IF NOT pg_catalog.pg_try_advisory_xact_lock_shared(pg_catalog.hashtextextended(
            '{RESTORING}' OPERATOR(pg_catalog.||) p_tenant::text, 0))
        THEN
            RAISE EXCEPTION 'the tenant is being restored' USING ERRCODE = 'BH007';
        END IF;
        -- An assignment, here and below: twice as fast as a query.
        v_set := pg_catalog.pg_advisory_xact_lock_shared(v_lock)::text;
    END IF;

    -- One query for all that is read; nothing is made of it before the ticket has been checked.
    SELECT k.inner_pad, k.outer_pad, k.proof_key, t.status, p.statement_timeout_ms,
           t.is_moving, CASE t.placement WHEN 'dedicated' THEN t.schema_name ELSE 'public' END
      INTO v_inner, v_outer, v_proof, v_status, v_timeout,
           v_moving, v_schema
      FROM bulkhead.ticket_key k
      LEFT JOIN public.tenants_tenant t ON t.id OPERATOR(pg_catalog.=) p_tenant
      LEFT JOIN public.tenants_plan p ON p.code OPERATOR(pg_catalog.=) t.plan_id;
    v_ticket := pg_catalog.convert_to(pg_catalog.concat(
        p_tenant, '|', p_user, '|', p_scope, '|', p_issued_at), 'UTF8');
    IF p_mac IS DISTINCT FROM pg_catalog.sha256(v_outer OPERATOR(pg_catalog.||)
            pg_catalog.sha256(v_inner OPERATOR(pg_catalog.||) v_ticket))
        OR pg_catalog.abs(extract(epoch FROM pg_catalog.clock_timestamp())
            OPERATOR(pg_catalog.-) p_issued_at) OPERATOR(pg_catalog.>) {LIFETIME}
        OR p_scope OPERATOR(pg_catalog.<>) ALL (ARRAY['user', 'tenant'])
        OR (p_scope OPERATOR(pg_catalog.=) 'user' AND p_user IS NULL)
        OR p_user OPERATOR(pg_catalog.=) '{EVERYONE}'
        OR p_tenant IS NULL OR p_scope IS NULL OR p_mac IS NULL
    THEN
        RAISE EXCEPTION 'the tenant ticket is not valid' USING ERRCODE = 'BH003';
    END IF;

    IF v_status IS NULL OR v_status OPERATOR(pg_catalog.=) 'deleted' THEN
        RAISE EXCEPTION 'unknown tenant' USING ERRCODE = 'BH001';
    ELSIF v_status OPERATOR(pg_catalog.<>) 'active' THEN
        RAISE EXCEPTION 'the tenant is %', v_status USING ERRCODE = 'BH002';
    END IF;

    v_set := pg_catalog.set_config('app.current_tenant_id', p_tenant::text, true);
    v_set := pg_catalog.set_config('app.current_user_id', pg_catalog.concat(p_user), true);
    v_set := pg_catalog.set_config('app.current_scope', p_scope, true);
    v_set := pg_catalog.set_config('app.current_schema', v_schema, true);
    v_path := pg_catalog.concat(
        CASE v_schema WHEN 'public' THEN NULL
            ELSE pg_catalog.quote_ident(v_schema) OPERATOR(pg_catalog.||) ', ' END,
        'public, pg_temp');
    IF v_path OPERATOR(pg_catalog.<>) pg_catalog.current_setting('search_path') THEN
        v_set := pg_catalog.set_config('search_path', v_path, true);
    END IF;
    v_set := pg_catalog.set_config('statement_timeout', v_timeout::text, true);
    IF v_moving THEN -- what this transaction changes is noted, for whoever carries the rows over
        v_set := pg_catalog.set_config('app.current_move', 'on', true);
    END IF;
    v_set := pg_catalog.set_config('app.current_proof', {_PROOF}, true);
END
$body$;
REVOKE ALL ON FUNCTION public.enter_tenant(uuid, uuid, text, bigint, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.enter_tenant(uuid, uuid, text, bigint, bytea) TO {APP};
"""  # noqa: S608 - joined from constants


def _proven(name: str, gives: str, value: str) -> str:
    """A function that gives one setting if the proof is right and the schema the caller's own.

    Each one checks the proof itself: PostgreSQL reads a policy's parts when it first needs them,
    and between two fetches of a cursor the settings may have been changed.
    """
    return f"""
CREATE OR REPLACE FUNCTION public.{name}(p_schema text)
RETURNS {gives} LANGUAGE plpgsql STABLE SECURITY DEFINER AS $body$
DECLARE
    v_proof bytea;
BEGIN
    IF p_schema IS DISTINCT FROM pg_catalog.current_setting('app.current_schema', true) THEN
        RETURN NULL;
    END IF;
    SELECT k.proof_key INTO v_proof FROM bulkhead.ticket_key k;
    IF {_PROOF}
        OPERATOR(pg_catalog.=) pg_catalog.current_setting('app.current_proof', true)
    THEN
        RETURN {value};
    END IF;
    RETURN NULL;
END
$body$;
REVOKE ALL ON FUNCTION public.{name}(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.{name}(text) TO {APP}, {BACKUP};
"""  # noqa: S608 - joined from constants


PROVEN_TENANT = _proven(
    "proven_tenant", "uuid", "pg_catalog.current_setting('app.current_tenant_id', true)::uuid"
)
# Whose rows the transaction may touch: a person's, or everyone's of the tenant.
PROVEN_OWNER = _proven(
    "proven_owner",
    "uuid",
    f"""CASE pg_catalog.current_setting('app.current_scope', true)
            WHEN 'user' THEN pg_catalog.current_setting('app.current_user_id', true)::uuid
            WHEN 'tenant' THEN '{EVERYONE}'::uuid END""",
)

# Whoever carries a tenant's rows from one schema to another changes none of them.
REFUSE_CHANGE = f"""
CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP OPERATOR(pg_catalog.=) 'DELETE' AND current_user OPERATOR(pg_catalog.=) '{MOVER}' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'BH005';
END
$body$;
REVOKE ALL ON FUNCTION public.refuse_change() FROM PUBLIC;
"""

# Rows that changed while their tenant is being moved, by their keys. Who may change a row may not
# write here: the trigger does, with its owner's rights.
NOTE_CHANGE = """
CREATE OR REPLACE FUNCTION public.note_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER AS $body$
BEGIN
    INSERT INTO bulkhead.changed_row (tenant_id, tab, row_id) VALUES (
        coalesce(NEW.tenant_id, OLD.tenant_id), TG_TABLE_NAME, coalesce(NEW.id, OLD.id));
    IF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' AND OLD.id OPERATOR(pg_catalog.<>) NEW.id THEN
        INSERT INTO bulkhead.changed_row (tenant_id, tab, row_id)
        VALUES (OLD.tenant_id, TG_TABLE_NAME, OLD.id);
    END IF;
    RETURN NULL;
END
$body$;
REVOKE ALL ON FUNCTION public.note_change() FROM PUBLIC;
"""

# The type of the value that BEGIN carries. PostgreSQL reads a bound value in the transaction that
# BEGIN then makes a block of, and whoever has read a `tenant_ticket` has entered the tenant.
ENTERS = """public.enter_tenant(VALUE[1]::uuid, VALUE[2]::uuid, VALUE[3], VALUE[4]::bigint,
        pg_catalog.decode(VALUE[5], 'hex'::text)) IS NOT NULL"""
# A domain cannot be replaced: one that is there stays, with its OID, which connections know.
TENANT_TICKET = f"""
DO $body$ BEGIN
    IF pg_catalog.to_regtype('public.tenant_ticket') IS NULL THEN
        CREATE DOMAIN public.tenant_ticket AS text[] CONSTRAINT enters CHECK ({ENTERS});
        REVOKE ALL ON DOMAIN public.tenant_ticket FROM PUBLIC;
    END IF;
END $body$;
"""

PROVEN = (PROVEN_TENANT, PROVEN_OWNER)
FUNCTIONS = (ENTER_TENANT, TENANT_TICKET, *PROVEN, REFUSE_CHANGE, NOTE_CHANGE)
INSTALL = (TICKET_KEYS, *FUNCTIONS)
UNINSTALL = """
DROP FUNCTION public.note_change();
DROP FUNCTION public.refuse_change();
DROP FUNCTION public.proven_owner(text);
DROP FUNCTION public.proven_tenant(text);
DROP DOMAIN public.tenant_ticket;
DROP FUNCTION public.enter_tenant(uuid, uuid, text, bigint, bytea);
DROP SCHEMA bulkhead CASCADE;
"""
# The functions above, by signature: the only SECURITY DEFINER ones that may exist.
DEFINERS = (
    "public.enter_tenant(uuid,uuid,text,bigint,bytea)",
    "public.proven_tenant(text)",
    "public.proven_owner(text)",
    "public.note_change()",
)
# Of earlier releases. They go with the last policy that reads them.
RETIRED = ("public.proven_scope(text)", "public.proven_user(text)")

STORE_KEY = """
INSERT INTO bulkhead.ticket_key (inner_pad, outer_pad, proof_key) VALUES (%s, %s, %s)
ON CONFLICT (only_one) DO UPDATE SET
    inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad, proof_key = excluded.proof_key
"""
