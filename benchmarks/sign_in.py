"""Whether the time of a refused log-in tells who is known: medians of interleaved tries.

`python -m benchmarks sign_in`; with the password hash of production, over HTTP, and each try from
an address of its own, since guesses are counted by address.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address
from uuid import uuid4

import httpx

from benchmarks.installation import Installation, installed
from benchmarks.report import Report, Table, publish
from tests.web import serve

# An account bears ten wrong guesses a minute, from whatever addresses.
_GUESSES = 8
_RIGHT, _WRONG = "Correct-horse-7", "Wrong-horse-7"
Times = dict[str, list[float]]  # seconds


def run(*, quick: bool = False) -> None:
    tries = 5 if quick else 30
    with installed() as installation, _client(installation) as client:
        found = _measure(client, tries)
        publish(_report(found), installation, keep=not quick)


@contextmanager
def _client(installation: Installation) -> Iterator[httpx.Client]:
    """A web process on these servers, and a connection to it that stays open."""
    os.environ.update(installation.environment)
    with (
        serve(TRUSTED_PROXIES="1", LOG_LEVEL="ERROR") as server,
        httpx.Client(base_url=f"{server.url}/api/v1/auth/", timeout=30) as client,
    ):
        yield client


def _measure(client: httpx.Client, tries: int) -> Times:
    """In random order, so that what slows the machine down slows all of them down."""
    people = [_sign_up(client) for _ in range(-(-2 * tries // _GUESSES))]
    kinds = ["unknown", "wrong password", "wrong tenant"]
    found: Times = {kind: [] for kind in kinds}
    for number in range(tries):
        known, tenant = people[number % len(people)]
        for kind in random.sample(kinds, len(kinds)):
            email = f"{uuid4().hex}@x.example" if kind == "unknown" else known
            body = {"email": email, "password": _WRONG, "tenant": tenant}
            if kind == "wrong tenant":
                body |= {"password": _RIGHT, "tenant": "nobody-here"}
            found[kind].append(_timed(client, body))
    return found


def _sign_up(client: httpx.Client) -> tuple[str, str]:
    """Somebody's email, and the slug of their tenant."""
    email, tenant = f"{uuid4().hex}@x.example", f"t{uuid4().hex[:12]}"
    body = {"email": email, "password": _RIGHT, "tenant": tenant}
    headers = {"X-Forwarded-For": _somewhere()}
    client.post("signup/", json=body, headers=headers).raise_for_status()
    return email, tenant


def _timed(client: httpx.Client, body: dict[str, str]) -> float:
    headers = {"X-Forwarded-For": _somewhere()}
    start = time.perf_counter()
    answer = client.post("login/", json=body, headers=headers)
    took = time.perf_counter() - start
    if answer.status_code != 401:
        raise RuntimeError(f"a refused log-in was expected: {answer.status_code} {answer.text}")
    return took


def _somewhere() -> str:
    return str(IPv6Address(random.getrandbits(128)))


def _report(found: Times) -> Report:
    medians = {kind: statistics.median(times) for kind, times in found.items()}
    ratios = {kind: median / medians["unknown"] for kind, median in medians.items()}
    rows = [
        [kind, str(len(times)), f"{medians[kind] * 1000:.1f} ms", f"{ratios[kind]:.2f}"]
        for kind, times in found.items()
    ]
    table = Table(
        "A refused log-in",
        ["what is wrong", "tries", "median", "to unknown"],
        rows,
        "Over HTTP to one process. A ratio near 1 tells a stranger nothing.",
    )
    data = {"seconds": found, "ratios": ratios}
    return Report("sign_in", "What the time of a refused log-in tells", [table], data)
