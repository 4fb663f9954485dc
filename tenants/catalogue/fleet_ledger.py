"""The ledger of what each schema has, against the records of the schemas themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tenants.catalogue import recorded
from tenants.catalogue.gap import Gap
from tenants.catalogue.subject import Cursor
from tenants.lifecycle import ledger, targets

# A dedicated tenant that has lost its schema is told of elsewhere.
_STRAYS = """
SELECT l.schema FROM bulkhead.fleet_ledger l
 WHERE to_regnamespace(quote_ident(l.schema)) IS NULL
   AND NOT EXISTS (SELECT FROM public.tenants_tenant t
                    WHERE t.schema_name = l.schema AND t.placement = 'dedicated')
 ORDER BY l.schema
"""


@dataclass(frozen=True, slots=True)
class _Ledger:
    sentences: Mapping[str, str]

    def read(self, cursor: Cursor, facts: Mapping[str, Any]) -> Iterator[Gap]:
        kept = ledger.read(cursor)
        if not kept:
            return
        for schema, keys in recorded.of_schemas(cursor, facts).items():
            true = ledger.digest(keys.intersection(targets.of(schema)))
            if kept.get(schema, true) not in (true, ledger.UNKNOWN):
                yield self._gap("ledger_differs", schema)
        cursor.execute(_STRAYS)
        for (schema,) in cursor.fetchall():
            yield self._gap("ledger_stray", schema)

    def _gap(self, code: str, schema: str) -> Gap:
        sentence = self.sentences[code].format(detail=schema)
        return Gap("bulkhead", f"fleet_ledger.{schema}", code, sentence)


# Only the owner may read it.
LEDGER = _Ledger(
    {
        "ledger_differs": "This row says otherwise than the record of {detail}, and migrate_fleet"
        " goes by it. DELETE the row and run `manage.py migrate`, which writes it anew.",
        "ledger_stray": "There is no schema {detail}. Find out who dropped it; then DELETE the"
        " row.",
    }
)
