"""Ends of tenants' chains in the platform's: a chain that is cut, or gone, is missed."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from accounts.audit import verification
from accounts.staff import queries
from accounts.trail import anchors, tasks
from accounts.trail.models import PlatformEvent
from tenants.lifecycle import actions as lifecycle
from tenants.models import Tenant
from tests.accounts.audit.tampering import asleep, filled
from tests.cast import build_tenant, now

GONE = (
    "DELETE FROM audit_auditlink WHERE tenant_id = %(tenant)s",
    "DELETE FROM audit_auditevent WHERE tenant_id = %(tenant)s",
    "DELETE FROM audit_audithead WHERE tenant_id = %(tenant)s",
)
CUT = (
    "DELETE FROM audit_auditevent e USING audit_auditlink l WHERE e.tenant_id = %(tenant)s"
    " AND l.tenant_id = e.tenant_id AND l.id = e.id AND l.number > 3",
    "DELETE FROM audit_auditlink WHERE tenant_id = %(tenant)s AND number > 3",
    "UPDATE audit_audithead h SET number = l.number, digest = l.digest FROM audit_auditlink l"
    " WHERE h.tenant_id = %(tenant)s AND l.tenant_id = h.tenant_id AND l.number = 3",
)


def tamper(tenant: Tenant, statements: tuple[str, ...]) -> None:
    with asleep(tenant.live_schema) as superuser:
        for statement in statements:
            superuser.execute(statement, {"tenant": tenant.id})


def verify(tenant: Tenant) -> tuple[str, Any]:
    """What the command ends with, and what it says of the tenant's chain."""
    out = StringIO()
    try:
        call_command("verify_audit", tenant.slug, "--json", stdout=out)
    except CommandError as error:
        return str(error), json.loads(out.getvalue())["chains"][tenant.slug]
    return "", json.loads(out.getvalue())["chains"][tenant.slug]


def of(tenant: Tenant, action: str) -> list[PlatformEvent]:
    return list(PlatformEvent.objects.filter(action=action, key=str(tenant.id)))


def test_an_end_is_kept_once_and_again_when_it_has_moved(tier: str) -> None:
    tenant = build_tenant(tier)
    anchors.take(tenant.id)
    assert anchors.of(tenant.id) == []  # nothing has happened there
    ends = []
    for _ in range(2):
        filled(tenant, 3)
        found = verification.of_tenant(tenant)
        ends.append(verification.Kept(found.number, found.digest))
        for _ in range(2):
            anchors.take(tenant.id)
        assert anchors.of(tenant.id) == ends
    assert verify(tenant)[0] == ""
    (event, _) = of(tenant, anchors.ANCHORED)
    assert event.actor == "system:anchor_audit"
    assert of(tenant, anchors.LOST) == []


@pytest.mark.parametrize("statements", [GONE, CUT], ids=["gone", "cut"])
def test_a_chain_that_is_cut_or_gone_is_missed_without_a_file(
    tier: str, statements: tuple[str, ...]
) -> None:
    tenant = build_tenant(tier)
    filled(tenant)
    anchors.take(tenant.id)
    tamper(tenant, statements)
    assert verification.of_tenant(tenant).faults == ()  # by itself it looks whole
    error, found = verify(tenant)
    assert error == f"the audit trail is broken: {tenant.slug}"
    assert [(fault["code"], fault["number"]) for fault in found["faults"]] == [("kept_differs", 5)]
    Tenant.objects.filter(pk=tenant.pk).update(status=Tenant.Status.SUSPENDED)
    assert verify(tenant) == (error, found)


@pytest.mark.parametrize("statements", [GONE, CUT], ids=["gone", "cut"])
def test_the_next_turn_says_so_by_itself(
    tier: str, statements: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    tenant = build_tenant(tier)
    filled(tenant)
    anchors.take(tenant.id)
    tamper(tenant, statements)
    with caplog.at_level("ERROR", "bulkhead.audit"):
        anchors.take(tenant.id)
    (line,) = [r.getMessage() for r in caplog.records if r.name == "bulkhead.audit"]
    assert str(tenant.id) in line
    (event,) = of(tenant, anchors.LOST)
    assert event.after is not None
    assert event.after["number"] == 5
    # The end of what is there now hides nothing: all that were kept are looked for.
    assert verify(tenant)[0] == f"the audit trail is broken: {tenant.slug}"


def test_who_waits_for_the_next_turn_is_found_all_the_same(tier: str) -> None:
    """A chain cut between two turns, and gone on since."""
    tenant = build_tenant(tier)
    filled(tenant)
    anchors.take(tenant.id)
    tamper(tenant, CUT)
    filled(tenant, 4)
    anchors.take(tenant.id)
    assert [end.number for end in anchors.of(tenant.id)] == [5, 7]
    assert [fault["number"] for fault in verify(tenant)[1]["faults"]] == [5]


def test_a_tenant_that_is_closed_or_gone_is_left_out() -> None:
    tenant = build_tenant()
    filled(tenant)
    Tenant.objects.filter(pk=tenant.pk).update(status=Tenant.Status.SUSPENDED)
    for tenant_id in (tenant.id, uuid4()):
        tasks.anchor(str(tenant_id))
        assert anchors.of(tenant_id) == []


def test_every_active_tenant_has_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    ids = [UUID(int=1), UUID(int=2)]
    monkeypatch.setattr(tasks.tenants, "active_ids", lambda: ids)
    monkeypatch.setattr(tasks.anchor, "delay", sent.append)
    tasks.anchor_everywhere()
    assert sent == [str(tenant_id) for tenant_id in ids]


def test_a_slug_that_is_somebody_elses_id_mixes_no_trails() -> None:
    one = build_tenant()
    other = lifecycle.create_tenant(
        slug=str(one.id), name="n", tier="starter", by="system:other", now=now()
    )
    filled(one, 1)
    anchors.take(one.id)
    ends = {event.pk for event in of(one, anchors.ANCHORED)}
    assert ends
    assert ends <= {event.pk for event in queries.lately(one)}
    assert {event.actor for event in queries.lately(one)} == {"system:anchor_audit", "system:test"}
    assert {event.actor for event in queries.lately(other)} == {"system:other"}
