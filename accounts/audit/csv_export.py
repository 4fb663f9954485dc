"""Events as a CSV file that no spreadsheet takes for a program."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from django.db.models import QuerySet

from accounts.audit.models import AuditEvent
from config.api.errors import DomainError

MOST_ROWS = 10_000
COLUMNS = (
    "id",
    "at",
    "actor",
    "actor_id",
    "action",
    "kind",
    "key",
    "before",
    "after",
    "address",
    "request_id",
)
# The full-width forms too: some spreadsheets read them as the plain ones.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
# At the beginning, and after what another reader than ours takes for the end of a cell.
_BEGINS_A_FORMULA = re.compile(rf"\A(?=[\t\r\n])|(?:\A|(?<=[;\t\r\n]))(?=[ \"']*[{_SIGNS}])")


class ExportTooLarge(DomainError):
    code = "export_too_large"
    status = 422
    title = f"More than {MOST_ROWS} events: narrow them by `at_after` and `at_before`."


def written(events: QuerySet[AuditEvent]) -> str:
    """All of them, or none: a file that ends early says nothing of it. Raises ExportTooLarge.

    Read to its end here, inside the tenant's transaction; a response that were streamed would be
    read after it.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    rows = events.values_list(*COLUMNS)[: MOST_ROWS + 1]
    for number, row in enumerate(rows.iterator(chunk_size=1000)):
        if number == MOST_ROWS:
            raise ExportTooLarge
        writer.writerow([cell(value) for value in row])
    return out.getvalue()


def cell(value: Any) -> str:
    """As text; an apostrophe goes before what a spreadsheet would calculate.

    JSON has no tab or line of its own, and its semicolons can be spelled, which changes no value.
    """
    if value is None:
        return ""
    if isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
        return text.replace(";", "\\u003b")
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return _BEGINS_A_FORMULA.sub("'", text)
