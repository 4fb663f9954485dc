"""The blueprint that is kept for this code: nothing else but what its migrations say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tenants.catalogue.gap import Gap
from tenants.catalogue.subject import Cursor
from tenants.lifecycle import archive, blueprint


@dataclass(frozen=True, slots=True)
class _Kept:
    sentences: Mapping[str, str]

    def read(self, cursor: Cursor, facts: Mapping[str, Any]) -> Iterator[Gap]:
        is_kept = archive.is_there(cursor) and archive.has(cursor, blueprint.state())
        if is_kept and blueprint.kept(cursor) != blueprint.current():
            code = "blueprint_replaced"
            yield Gap("bulkhead", "blueprint", code, self.sentences[code])


KEPT = _Kept(
    {
        "blueprint_replaced": "What is kept of this release is not what its migrations say."
        " Whoever finds it broken compiles anew; find out who wrote it, and run"
        " `manage.py migrate`.",
    }
)
