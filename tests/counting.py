"""How many statements something takes."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

_OF_A_PLAN = '"tenants_plan"."requests_per_minute"'


def statements(ask: Callable[[], object]) -> list[str]:
    """Those of `ask` by a process that knows the tenant's plan.

    It is asked again where the plan was read meanwhile: tests beside this one change limits.
    """
    while True:
        with CaptureQueriesContext(connection) as captured:
            ask()
        sent = [query["sql"] for query in captured]
        if not any(_OF_A_PLAN in sql for sql in sent):
            return sent
