"""The key of the tickets: there is one, and it is that of this installation."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from tenants import tickets
from tenants.catalogue.gap import Gap
from tenants.catalogue.subject import Cursor

_KEYS = "SELECT inner_pad, outer_pad, proof_key FROM bulkhead.ticket_key"


@dataclass(frozen=True, slots=True)
class _Key:
    """Compared here and not by the database: its log may show what a statement is given."""

    sentences: Mapping[str, str]

    def read(self, cursor: Cursor, facts: Mapping[str, Any]) -> Iterator[Gap]:
        cursor.execute(_KEYS)
        keys = cursor.fetchall()
        if len(keys) != 1:
            yield self._gap("ticket_key_lost", detail=str(len(keys)))
        elif not hmac.compare_digest(b"".join(map(bytes, keys[0])), _due()):
            yield self._gap("ticket_key_replaced")

    def _gap(self, code: str, **words: str) -> Gap:
        return Gap("bulkhead", "ticket_key", code, self.sentences[code].format(**words))


def _due() -> bytes:
    """The pads and the proof's key; each has its length, so that together they are no others."""
    secret = settings.TENANT_TICKET_SECRET
    return b"".join([*tickets.pads(secret), tickets.proof_key(secret)])


# Only the owner may read it.
KEY = _Key(
    {
        "ticket_key_lost": "There has to be one key of the tickets, and there are {detail}, so"
        " that nobody can enter a tenant, or by another's key. Delete what is there and run"
        " `manage.py migrate`.",
        "ticket_key_replaced": "The key of the tickets is not made of this process's"
        " TENANT_TICKET_SECRET: whoever has the other one enters every tenant, and nobody else any."
        " Run `manage.py migrate` with the secret that the application has.",
    }
)
