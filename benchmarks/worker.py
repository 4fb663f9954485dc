"""A contestant's own process: asks its application in-process, as often as the parent says.

`python -m benchmarks.worker` reads one JSON order a line and answers with one line each. What the
application logs goes where a container's log would not be read: to the null device.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import io
import json
import os
import sys
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any


class Application:
    """The WSGI handler, all middlewares and signals included, and what it has been given to do."""

    def __init__(self) -> None:
        import django

        django.setup()
        from django.conf import settings
        from django.core.wsgi import get_wsgi_application

        settings.DEBUG_PROPAGATE_EXCEPTIONS = True  # what goes wrong ends the run, and is read

        self._handle = get_wsgi_application()
        self._requests = cycle([{}])

    def load(self, requests: list[dict[str, str]]) -> dict[str, Any]:
        """Take these requests, ask each once, and say what came: all contestants must agree."""
        prepared = [_environ(request) for request in requests]
        bodies = [json.loads(self._ask(environ)) for environ in prepared]
        results = [body["results"] for body in bodies]
        text = json.dumps(results, sort_keys=True)
        self._requests = cycle(prepared)
        return {
            "rows": [len(result) for result in results],
            "digest": hashlib.sha256(text.encode()).hexdigest(),
        }

    def warm(self, times: int) -> dict[str, Any]:
        """Ask, and then leave all that has been made out of the garbage collector's sight."""
        _part(_backend())
        self.run(times)
        gc.collect()
        gc.freeze()
        return {}

    def run(self, times: int) -> dict[str, Any]:
        """Ask so often; nanoseconds each took, and the CPU time of this process and its backend."""
        backend = _backend()
        took = []
        here, there = time.process_time_ns(), _on_cpu(backend)
        for _ in range(times):
            environ = next(self._requests)
            started = time.perf_counter_ns()
            self._ask(environ)
            took.append(time.perf_counter_ns() - started)
        spent = time.process_time_ns() - here
        return {"took": took, "process": spent, "backend": _on_cpu(backend) - there}

    def explain(self, requests: list[dict[str, str]]) -> list[Any]:
        """The plans of the statements that each request runs; only Bulkhead's process is asked."""
        from benchmarks import plans

        return [plans.of_request(lambda r=request: self._ask(_environ(r))) for request in requests]

    def profile(self, times: int, file: str) -> dict[str, Any]:
        """Where the time goes, for whoever wants to know; never part of a measurement."""
        import cProfile

        profiler = cProfile.Profile()
        profiler.runcall(self.run, times)
        profiler.dump_stats(file)
        return {}

    def _ask(self, environ: dict[str, Any]) -> bytes:
        status: list[str] = []
        response = self._handle(
            {**environ, "wsgi.input": io.BytesIO()}, lambda line, _headers: status.append(line)
        )
        try:
            body = b"".join(response)
        finally:
            response.close()
        if not status[0].startswith("200"):
            raise AssertionError(f"{environ['PATH_INFO']}: {status[0]} {body[:500]!r}")
        return body


def _environ(request: dict[str, str]) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": request["path"],
        "QUERY_STRING": request.get("query", ""),
        "SCRIPT_NAME": "",
        "SERVER_NAME": request["host"],
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": request["host"],
        "HTTP_ACCEPT": "application/json",
        "HTTP_AUTHORIZATION": f"Bearer {request['token']}",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def _backend() -> int:
    """The process of the server that serves this one; the pool holds a single connection."""
    from django.db import connection

    connection.ensure_connection()
    pid: int = connection.connection.info.backend_pid
    connection.close()
    return pid


def _part(backend: int) -> None:
    """A core each for this process and its backend, so that neither empties the other's caches."""
    if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, cores[:1])
        with contextlib.suppress(PermissionError):  # the server's user may be another
            os.sched_setaffinity(backend, cores[1:2])


def _on_cpu(pid: int) -> int:
    """Nanoseconds a process has been on a CPU; 0 where the kernel does not tell (Linux does)."""
    statistics = Path(f"/proc/{pid}/schedstat")
    return int(statistics.read_text().split()[0]) if statistics.exists() else 0


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    application = Application()
    orders: dict[str, Callable[..., Any]] = {
        name: getattr(application, name) for name in ("load", "warm", "run", "explain", "profile")
    }
    for line in sys.stdin:
        order = json.loads(line)
        answer = orders[order.pop("do")](**order)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
