"""`change_plan`, as an operator types it: by the same rules as the staff's page."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError

from accounts.trail.models import PlatformEvent
from tenants import limits
from tenants.models import Plan, Tenant
from tests.cast import build_house, build_tenant
from tests.tenants.lifecycle.test_commands import run


def test_a_tenant_goes_by_another_plan_at_once() -> None:
    house = build_house("starter")
    assert house.alice.get("accounts/").status_code == 200  # by the limits of before
    told = json.loads(run("change_plan", house.tenant.slug, "pro", "--json"))
    assert told == {
        "slug": house.tenant.slug,
        "plan": "pro",
        "before": "starter",
        "changed": True,
    }
    assert Tenant.objects.get(pk=house.tenant.pk).tier == "pro"
    answer = house.alice.get("accounts/")
    assert int(answer["RateLimit-Limit"]) <= Plan.objects.get(pk="pro").requests_per_minute
    assert limits.of(house.tenant.pk).tier == "pro"
    events = PlatformEvent.objects.filter(key=house.tenant.slug, action="tenant.plan_changed")
    assert [event.actor for event in events] == ["system:change_plan"]
    assert "pro already" in run("change_plan", house.tenant.slug, "pro")
    assert events.count() == 1


@pytest.mark.parametrize(
    ("tier", "plan", "said"),
    [
        ("starter", "enterprise", "graduate_tenant {slug} --plan enterprise"),
        ("enterprise", "pro", "demote_tenant {slug} --plan pro"),
        ("starter", "gold", "unknown_plan"),
    ],
)
def test_a_plan_whose_tenants_live_elsewhere_leads_to_a_move(
    tier: str, plan: str, said: str
) -> None:
    tenant = build_tenant(tier)
    with pytest.raises(CommandError, match=said.format(slug=tenant.slug)):
        run("change_plan", tenant.slug, plan)
    assert Tenant.objects.get(pk=tenant.pk).tier == tier


def test_nobody_has_no_plan() -> None:
    with pytest.raises(CommandError, match="There is no tenant 'nobody'"):
        run("change_plan", "nobody", "pro")
