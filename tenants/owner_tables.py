"""Tables of the owner's, beside the ticket's key: the application has a right to none of them."""

from __future__ import annotations

from tenants.roles import MOVER

# The compiled statements of a dedicated schema, by what they were compiled from.
BLUEPRINT = """
CREATE TABLE bulkhead.blueprint (
    state text PRIMARY KEY,
    content text NOT NULL,
    seal bytea NOT NULL CHECK (length(seal) = 32)
);
REVOKE ALL ON bulkhead.blueprint FROM PUBLIC;
"""

# PostgreSQL's own functions as they were when the database was first migrated on its release.
FUNCTION_RECORD = """
CREATE TABLE bulkhead.function_record (
    release integer NOT NULL,
    signature text NOT NULL,
    definition text NOT NULL,
    PRIMARY KEY (release, signature)
);
REVOKE ALL ON bulkhead.function_record FROM PUBLIC;
"""

# Which rows of a tenant on the move were changed; `entry.NOTE_CHANGE` writes it.
CHANGED_ROW = f"""
CREATE TABLE bulkhead.changed_row (
    tenant_id uuid NOT NULL,
    tab text NOT NULL,
    row_id uuid NOT NULL
);
CREATE INDEX changed_row_of_tenant ON bulkhead.changed_row (tenant_id);
REVOKE ALL ON bulkhead.changed_row FROM PUBLIC;
GRANT USAGE ON SCHEMA bulkhead TO {MOVER};
GRANT SELECT, DELETE ON bulkhead.changed_row TO {MOVER};
"""
DROP_CHANGED_ROW = "DROP TABLE bulkhead.changed_row"

# Which migrations each schema has, as a digest; `lifecycle/ledger.py` writes it.
FLEET_LEDGER = """
CREATE TABLE bulkhead.fleet_ledger (
    schema text PRIMARY KEY,
    digest text NOT NULL,
    migrations integer NOT NULL,
    at timestamptz NOT NULL,
    error text NOT NULL
);
REVOKE ALL ON bulkhead.fleet_ledger FROM PUBLIC;
"""
DROP_FLEET_LEDGER = "DROP TABLE bulkhead.fleet_ledger"

INSTALL = (BLUEPRINT, FUNCTION_RECORD)
UNINSTALL = """
DROP TABLE bulkhead.function_record;
DROP TABLE bulkhead.blueprint;
"""
