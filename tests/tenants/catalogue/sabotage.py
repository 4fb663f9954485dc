"""One way to break an installation, and what the inspection has to say about it."""

from __future__ import annotations

from dataclasses import dataclass

from tenants import rls
from tenants.catalogue.gap import DATABASE
from tenants.identifiers import PUBLIC_SCHEMA
from tests.tenants.catalogue.scratch import Scratch

BOTH = ("public", "dedicated")
PUBLIC = ("public",)
DEDICATED = ("dedicated",)


@dataclass(frozen=True)
class Sabotage:
    """`codes` are the gaps it opens, separated by blanks; `found_in` the schema they lie in;
    `also` those that lie in no schema. `anew`: a schema that stands ready to be compared with is
    broken by it as well, so one has to be made."""

    name: str
    codes: str
    sql: str
    places: tuple[str, ...] = BOTH
    by_owner: bool = True
    found_in: str = "{schema}"
    also: str = ""
    anew: bool = False

    def statements(self, scratch: Scratch) -> str:
        """The sabotage, done in every place at once."""
        return ";\n".join(self.sql.format(**words(scratch, place)) for place in self.places)

    def expected(self, scratch: Scratch) -> list[tuple[str, str]]:
        """Schema and code of each gap."""
        schemas = [self.found_in.format(**words(scratch, place)) for place in self.places]
        inside = [(schema, code) for schema in schemas for code in self.codes.split()]
        return sorted([*inside, *((DATABASE, code) for code in self.also.split())])


def words(scratch: Scratch, place: str) -> dict[str, str]:
    """What a statement may name: the schema to break, another one, and the walls of both."""
    schemas = [PUBLIC_SCHEMA, scratch.dedicated]
    schema, other = schemas if place == "public" else reversed(schemas)
    return {
        "schema": schema,
        "other": other,
        "dedicated": scratch.dedicated,
        "tenant_id": scratch.tenant_id,
        "tenant_rule": rls.tenant_rule(schema),
        "other_rule": rls.tenant_rule(other),
        "owner_rule": rls.owner_rule(schema, "user_id"),
        "owner": f"(SELECT public.proven_owner('{schema}'))",
        "other_owner_rule": rls.owner_rule(other, "user_id"),
        "tenant": f"(SELECT {rls.TENANT_SETTING})",
    }


def server_wide(name: str, codes: str, sql: str, *, anew: bool = False) -> Sabotage:
    """One that takes a superuser and concerns no schema."""
    return Sabotage(name, codes, sql, PUBLIC, by_owner=False, found_in=DATABASE, anew=anew)
