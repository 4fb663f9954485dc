"""Tables of the owner's alone, beside the ticket's key: nobody else has a right to any of them."""

from __future__ import annotations

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

INSTALL = (BLUEPRINT, FUNCTION_RECORD)
UNINSTALL = """
DROP TABLE bulkhead.function_record;
DROP TABLE bulkhead.blueprint;
"""
