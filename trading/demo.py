"""The demo: three tenants with their people, real history, and a file that says how to get in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from accounts.access.roles import Role
from accounts.members import actions as access
from accounts.users import actions as users
from tenants import queries as tenants
from tenants.lifecycle import actions as lifecycle
from tenants.models import Tenant
from trading.market import bundle

Report = Callable[[str], None]

PASSWORD = "Bulkhead-demo-1"  # noqa: S105 - known to all, and seeded with DEBUG only
_BY = "system:seed_demo"
STAFF = "staff@bulkhead.example"
TENANTS = (("acme", "starter"), ("birch", "pro"), ("globex", "enterprise"))
PEOPLE = (
    ("alice", Role.TRADER),
    ("bob", Role.TRADER),
    ("olga", Role.OWNER),
    ("vera", Role.VIEWER),
)


def seed(*, base_url: str, target: Path, now: datetime, report: Report) -> dict[str, Any]:
    """Make what is missing of the demo, and write `demo.json`; safe to run again."""
    users.ensure(email=STAFF, password=PASSWORD, now=now, is_staff=True)
    made = [_tenant(slug, tier, now) for slug, tier in TENANTS]
    report(f"{len(made)} tenants, {len(PEOPLE)} people each")
    report(f"{bundle.load_opening()} candles")
    demo = _description(made, base_url)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(demo, indent=2) + "\n")
    return demo


def _tenant(slug: str, tier: str, now: datetime) -> Tenant:
    tenant = tenants.by_slug(slug)
    if tenant is None or tenant.status == Tenant.Status.PROVISIONING:
        tenant = lifecycle.create_tenant(slug=slug, name=slug.title(), tier=tier, by=_BY, now=now)
    for name, role in PEOPLE:
        user = users.ensure(email=f"{name}@{slug}.example", password=PASSWORD, now=now)
        access.ensure_member(tenant=tenant, user=user, role=role, by=_BY, now=now)
    return tenant


def _description(made: list[Tenant], base_url: str) -> dict[str, Any]:
    """Addresses in the path form, which works where `*.localhost` does not resolve."""
    return {
        "base_url": base_url,
        "platform_url": base_url,
        "password": PASSWORD,
        "staff": {"email": STAFF},
        "tenants": [
            {
                "slug": tenant.slug,
                "id": str(tenant.id),
                "tier": tenant.tier,
                "url": f"{base_url}/t/{tenant.slug}",
                "users": [
                    {"email": f"{name}@{tenant.slug}.example", "role": role.value}
                    for name, role in PEOPLE
                ],
            }
            for tenant in made
        ],
    }
