"""What `benchmarks.fleet` has done by a process of its own: prints one JSON document.

`provision NUMBER` makes dedicated tenants, `due` asks for what is to be done, `memory` serves all
of them in turn, `stock EXECUTOR` is django-tenants' own `migrate_schemas`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import django
import psutil

django.setup()

from django.conf import settings  # noqa: E402 - needs the app registry
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from tenants import context, ownership  # noqa: E402
from tenants.context import Actor, Scope, TenantContext  # noqa: E402
from tenants.fleet import planning  # noqa: E402
from tenants.lifecycle import actions as lifecycle  # noqa: E402
from tenants.models import Tenant  # noqa: E402

_SAMPLES = 10


def _provision(number: str) -> dict[str, Any]:
    """Seconds of each."""
    seconds = []
    for each in range(int(number)):
        started = time.perf_counter()
        lifecycle.create_tenant(
            slug=f"t{each}", name="T", tier="enterprise", by="system:bench", now=datetime.now(UTC)
        )
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds}


def _due() -> dict[str, Any]:
    """The question alone: the first time with the migrations to read from disk, then again."""
    seconds = []
    for _ in range(11):
        started = time.perf_counter()
        waiting = planning.due()
        seconds.append(time.perf_counter() - started)
    return {"first": seconds[0], "again": sorted(seconds[1:])[5], "due": len(waiting)}


def _memory() -> dict[str, Any]:
    """Private memory of the server's processes, as more and more schemas are served in turn: each
    with as many as its connection may see, and the last made after all others are gone."""
    tenants = list(Tenant.objects.order_by("id"))
    every = max(1, len(tenants) // _SAMPLES)
    first = _process()
    sizes = [[0, _private(first)]]
    served = [_serve(tenant) for tenant in tenants]
    pids = {pid for pid, _ in served}
    bound = settings.DATABASE_SCHEMAS_PER_CONNECTION
    if len(pids) != -(-len(tenants) // bound) or first.pid not in pids:
        raise RuntimeError(f"{len(pids)} connections, though each may see {bound} schemas.")
    sizes += [[number, served[number - 1][1]] for number in range(every, len(served) + 1, every)]
    connection.close_pool()  # as the pool does with one whose time is over
    return {
        "bound": bound,
        "connections": len(pids),
        "sizes": sizes,
        "largest": max(size for _, size in served),
        "anew": _serve(tenants[0])[1],
        "tables": len(ownership.tenant_models()),
    }


def _serve(tenant: Tenant) -> tuple[int, int]:
    """A read of every table; gives the server's process, and what it holds before it is let go."""
    where = TenantContext(tenant.id, Actor.system("bench"), Scope.TENANT)
    with context.enter(where):
        for model in ownership.tenant_models():
            list(model._default_manager.all()[:1])
        process = _process()
        held = process.pid, _private(process)
    connection.close()  # as at the end of a request
    return held


def _process() -> psutil.Process:
    connection.ensure_connection()
    return psutil.Process(connection.connection.info.backend_pid)


def _private(process: psutil.Process) -> int:
    return int(process.memory_full_info().uss)


def _stock(executor: str) -> dict[str, Any]:
    from django_tenants.management.commands.migrate_schemas import Command

    started = time.perf_counter()
    call_command(Command(), executor=executor, verbosity=0, interactive=False)
    return {"seconds": time.perf_counter() - started}


_ACTS: dict[str, Callable[..., dict[str, Any]]] = {
    "provision": _provision,
    "due": _due,
    "memory": _memory,
    "stock": _stock,
}

if __name__ == "__main__":
    print(json.dumps(_ACTS[sys.argv[1]](*sys.argv[2:])))
