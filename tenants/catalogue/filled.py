"""One schema beside an empty one that the blueprint makes, for whoever has just filled it."""

from __future__ import annotations

from tenants import ownership
from tenants.catalogue import facts, pattern
from tenants.catalogue.comparison import COMPARISONS
from tenants.catalogue.gap import Gap
from tenants.catalogue.subject import undone
from tenants.identifiers import new_id, schema_of
from tenants.lifecycle import blueprint
from tenants.lifecycle.provisioning import owner_cursor

# What PostgreSQL prints depends on the search_path: with this one, every name is qualified.
_PLAIN_PATH = "SET LOCAL search_path = pg_catalog, pg_temp"


def gaps(schema: str) -> list[Gap]:
    """What of its tenants' tables is not as the migrations make it: columns, constraints, indexes,
    triggers, policies. Raises OwnerLoginMissing."""
    model, ours = schema_of(new_id()), ownership.tenant_tables()
    with owner_cursor() as cursor:
        script = blueprint.at_hand(cursor).for_schema(model)
        given = facts.parameters(model, only=schema)
        with undone(cursor, "filled"):
            pattern.build(cursor, model, script)
            cursor.execute(_PLAIN_PATH)
            found = [gap for subject in COMPARISONS for gap in subject.read(cursor, given)]
    return sorted(gap for gap in found if gap.object.partition(".")[0] in ours)
