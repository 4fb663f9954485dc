"""Blueprints in the owner's table, each sealed: SQL that nobody wrote is never run."""

from __future__ import annotations

import hmac
import json
from typing import Any

from django.conf import settings

from tenants.cursors import Cursor

_THERE = "SELECT pg_catalog.to_regclass('bulkhead.blueprint') IS NOT NULL"
_READ = "SELECT content, seal FROM bulkhead.blueprint WHERE state = %s"
# Two may have compiled the same at once: whoever comes second finds nothing to change.
_WRITE = """
INSERT INTO bulkhead.blueprint AS b (state, content, seal) VALUES (%s, %s, %s)
ON CONFLICT (state) DO UPDATE SET content = excluded.content, seal = excluded.seal
 WHERE (b.content, b.seal) IS DISTINCT FROM (excluded.content, excluded.seal)
"""
_HAS = "SELECT EXISTS (SELECT FROM bulkhead.blueprint WHERE state = %s)"
_FORGET = "DELETE FROM bulkhead.blueprint WHERE state <> %s"


def read(cursor: Cursor, state: str) -> Any:
    """What was written for this state; None if nothing was, or it is not as it was written."""
    if not is_there(cursor):
        return None
    cursor.execute(_READ, [state])
    for content, seal in cursor.fetchall():
        if hmac.compare_digest(bytes(seal), _seal(state, content)):
            return json.loads(content)
    return None


def write(cursor: Cursor, state: str, value: Any) -> None:
    """Keep it, in the place of whatever is kept of the same state."""
    if is_there(cursor):
        content = json.dumps(value)
        cursor.execute(_WRITE, [state, content, _seal(state, content)])


def forget_all_but(cursor: Cursor, state: str) -> None:
    """Of other states nothing is needed once the migrations of this one have run."""
    cursor.execute(_FORGET, [state])


def has(cursor: Cursor, state: str) -> bool:
    """Whether anything is kept of this state, good or bad."""
    cursor.execute(_HAS, [state])
    ((is_so,),) = cursor.fetchall()
    return bool(is_so)


def is_there(cursor: Cursor) -> bool:
    """Whether the table stands: not before its migration has run."""
    cursor.execute(_THERE)
    ((is_so,),) = cursor.fetchall()
    return bool(is_so)


def _seal(state: str, content: str) -> bytes:
    """By a secret that the database does not have, so that nobody writes there for the owner."""
    message = f"bulkhead blueprint|{state}|{content}".encode()
    return hmac.digest(settings.TENANT_TICKET_SECRET, message, "sha256")
