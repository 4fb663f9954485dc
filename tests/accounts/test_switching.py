"""From one tenant to another: what the session behind the token may, and no more than that."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.access import queries
from accounts.access.callers import Device
from accounts.access.errors import InvalidCredential
from accounts.access.models import Membership, TenantPolicy
from accounts.access.roles import Role
from accounts.login import actions
from accounts.members import actions as access
from accounts.sessions import ending
from accounts.sessions.models import Session
from accounts.tokens import credentials
from accounts.users.models import User
from tenants.models import Tenant
from tests.accounts.test_mfa import Visitor
from tests.cast import anywhere, build_person, build_tenant, now


@pytest.fixture
def elsewhere() -> Tenant:
    return build_tenant()


@pytest.fixture
def alice(elsewhere: Tenant) -> Visitor:
    """Of two tenants, signed in to the first with a second factor."""
    visitor = Visitor(build_person(build_tenant(), "alice"))
    user = User.objects.get(pk=visitor.person.user_id)
    access.ensure_member(tenant=elsewhere, user=user, role=Role.TRADER, by="system:test", now=now())
    visitor.log_in()
    visitor.enrol()
    visitor.confirm()
    return visitor


def switch(visitor: Visitor, tenant: Tenant) -> Any:
    return visitor.send("post", "switch/", {"tenant": tenant.slug})


def test_a_switch_takes_the_second_factor_along(alice: Visitor, elsewhere: Tenant) -> None:
    answer = switch(alice, elsewhere)
    assert answer.status_code == 200, answer.json()
    caller = credentials.identify(answer.json()["access"])
    assert (caller.tenant_id, caller.has_second_factor) == (elsewhere.id, True)


def test_a_token_from_before_the_removal_carries_no_second_factor_over(
    alice: Visitor, elsewhere: Tenant
) -> None:
    before = alice.token
    spare = {"otp": alice.recovery_codes[0]}
    assert alice.send("delete", "mfa/totp/", spare).status_code == 204
    assert credentials.identify(before).has_second_factor
    TenantPolicy.objects.create(tenant=elsewhere, requires_second_factor=True)
    caller = credentials.identify(switch(alice, elsewhere).json()["access"])
    assert (caller.has_second_factor, caller.must_enrol) == (False, True)


def test_a_factor_that_another_tenant_asks_for_stays(alice: Visitor, elsewhere: Tenant) -> None:
    TenantPolicy.objects.create(tenant=elsewhere, requires_second_factor=True)
    answer = alice.send("delete", "mfa/totp/", {"otp": alice.recovery_codes[0]})
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")


def test_an_ended_session_switches_nowhere(alice: Visitor, elsewhere: Tenant) -> None:
    caller = credentials.identify(alice.token)
    Session.objects.filter(pk=caller.session_id).update(ended_at=now())
    with pytest.raises(InvalidCredential):
        actions.switch(
            caller=caller, tenant_slug=elsewhere.slug, device=Device(anywhere(), ""), now=now()
        )
    assert not Session.objects.filter(tenant=elsewhere).exists()


def test_a_switch_does_not_outlive_the_session_that_ends_meanwhile(
    alice: Visitor, elsewhere: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password change ends what stands, and then looks once more: both before this one stands."""
    caller = credentials.identify(alice.token)
    real = queries.membership

    def overtaken(**asked: Any) -> Membership:
        opened = Session.objects.filter(tenant=elsewhere, ended_at=None)
        assert opened.count() == 1
        ending.end(Session.objects.filter(pk=caller.session_id), because="test", now=now())
        return real(**asked)

    monkeypatch.setattr(queries, "membership", overtaken)
    with pytest.raises(InvalidCredential):
        actions.switch(
            caller=caller, tenant_slug=elsewhere.slug, device=Device(anywhere(), ""), now=now()
        )
    assert not Session.objects.filter(tenant=elsewhere, ended_at=None).exists()
