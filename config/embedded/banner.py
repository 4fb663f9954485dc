"""What is shown when all is ready: where to go, and who can log in."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, cast

from config.embedded.installation import Installation


class _User(TypedDict):
    email: str
    role: str


class _Tenant(TypedDict):
    slug: str
    tier: str
    url: str
    users: list[_User]


class _Demo(TypedDict):
    platform_url: str
    password: str
    staff: dict[str, str]
    tenants: list[_Tenant]


def lines(installation: Installation, *, log: Path, seconds: float) -> Iterator[str]:
    """The banner, line by line."""
    address = installation.url
    yield ""
    yield f"  Bulkhead is ready after {seconds:.1f} s:  {address}/"
    yield f"  API {address}/api/v1/docs/   log {log}   stop with Ctrl-C or `make down`"
    secrets = installation.data_dir / "secrets.json"
    yield f"  Metrics {address}/metrics   bring the METRICS_TOKEN of {secrets}"
    demo = installation.data_dir / "demo.json"
    if installation.is_demo and demo.exists():
        yield ""
        yield from _demo_lines(cast("_Demo", json.loads(demo.read_text())))
    yield ""


def _demo_lines(demo: _Demo) -> Iterator[str]:
    yield f"  Demo log-ins, password {demo['password']}"
    yield f"  {'staff':<8} {demo['platform_url'].rstrip('/')}/admin/   {demo['staff']['email']}"
    for tenant in demo["tenants"]:
        yield f"  {tenant['slug']:<8} {tenant['url']}   {tenant['tier']}"
        people = ", ".join(f"{user['email']} ({user['role']})" for user in tenant["users"])
        yield f"  {'':<8} {people}"
