"""What is recorded, and what is not: an event stands or falls with the work it speaks of."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from accounts.audit import actions as audit
from accounts.audit import entries
from accounts.audit.models import AuditEvent, AuditLink
from tenants import origin
from tenants.errors import NoTenantContext
from tests import counting
from tests.cast import House, Person, job
from tests.market import list_instrument

MONEY = {"currency": "USD", "amount": "1000"}


def recorded(house: House, **wanted: Any) -> list[AuditEvent]:
    """The tenant's events, oldest first."""
    with job(house.tenant):
        return list(AuditEvent.objects.filter(**wanted).order_by("at", "id"))


def opened(person: Person) -> str:
    return str(person.post("accounts/", {"name": f"a{uuid4().hex}"}).json()["id"])


def test_an_event_says_who_did_what_to_what_from_where(house: House) -> None:
    account = house.alice.post("accounts/", {"name": "first"}, X_Request_ID="req-1").json()["id"]
    (event,) = recorded(house, action="account.opened")
    assert (event.actor, event.actor_id) == (f"user:{house.alice.user_id}", house.alice.user_id)
    assert (event.kind, event.key, event.before) == ("account", account, None)
    assert event.after is not None
    assert event.after["name"] == "first"
    assert (event.address, event.request_id) == ("127.0.0.1", "req-1")
    assert event.tenant_id == house.tenant.id


def test_every_step_of_a_trade_is_recorded(house: House) -> None:
    market, alice = list_instrument(), house.alice
    market.print_bar(open="100", high="101", low="99", close="100")
    account = opened(alice)
    alice.request("PATCH", f"accounts/{account}/", {"name": "renamed"})
    alice.post(f"accounts/{account}/deposit/", MONEY)
    alice.post(f"accounts/{account}/withdraw/", {**MONEY, "amount": "1"})
    order = {"account": account, "instrument": market.symbol, "side": "buy", "type": "limit"}
    order |= {"quantity": "1", "limit_price": "90"}
    ids = [alice.post("orders/", order).json()["id"] for _ in range(3)]
    assert alice.request("DELETE", f"orders/{ids[0]}/").status_code == 200
    assert len(alice.post("orders/cancel-all/", {}).json()) == 2
    assert [event.action for event in recorded(house)] == [
        "account.opened",
        "account.changed",
        "account.deposited",
        "account.withdrawn",
        *["order.placed"] * 3,
        *["order.canceled"] * 3,
    ]
    changed, placed = recorded(house)[1], recorded(house, key=ids[0])
    assert changed.before is not None
    assert changed.before["name"] != "renamed"
    assert placed[0].after is not None
    assert placed[0].after["limit_price"] == "90"
    assert placed[1].before == {"status": "accepted"}


def test_an_answer_given_again_is_not_recorded_again(house: House) -> None:
    account = opened(house.alice)
    for _ in range(3):
        house.alice.post(f"accounts/{account}/deposit/", MONEY, Idempotency_Key="once")
    assert len(recorded(house, action="account.deposited")) == 1


def test_a_refused_request_leaves_no_event(house: House) -> None:
    account = opened(house.alice)
    answer = house.alice.post(f"accounts/{account}/withdraw/", MONEY)
    assert answer.status_code >= 400
    assert [event.action for event in recorded(house)] == ["account.opened"]


def test_a_transaction_rolled_back_leaves_no_event(house: House) -> None:
    with pytest.raises(ZeroDivisionError), job(house.tenant):
        audit.record("test.lost")
        _ = 1 / 0
    assert recorded(house) == []


def test_a_savepoint_rolled_back_leaves_no_event(house: House) -> None:
    with job(house.tenant):
        audit.record("test.before")
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            audit.record("test.lost")
            _ = 1 / 0
        audit.record("test.after")
    assert [event.action for event in recorded(house)] == ["test.before", "test.after"]
    with job(house.tenant):
        assert list(AuditLink.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_a_job_has_a_name_and_no_person(house: House) -> None:
    origin.address.set("")  # of a request that this thread has answered
    with job(house.tenant, "nightly"):
        audit.record("test.done", kind="thing", key="7")
    (event,) = recorded(house)
    assert (event.actor, event.actor_id, event.address) == ("system:nightly", None, None)
    assert (event.kind, event.key) == ("thing", "7")


def test_outside_a_tenant_nothing_is_recorded() -> None:
    with pytest.raises(NoTenantContext):
        audit.record("test.nowhere")


def test_recording_costs_an_order_one_statement(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    market, alice = list_instrument(), house.alice
    market.print_bar(open="100", high="101", low="99", close="100")
    account = opened(alice)
    alice.post(f"accounts/{account}/deposit/", MONEY)
    order = {"account": account, "instrument": market.symbol, "side": "buy", "type": "market"}

    def place() -> None:
        assert alice.post("orders/", {**order, "quantity": "1"}).status_code == 201

    place()
    with_it = counting.statements(place)
    monkeypatch.setattr(audit, "record", lambda *_args, **_kwargs: None)
    assert len(with_it) == len(counting.statements(place)) + 1


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Decimal("1.500"), "1.5"),
        (Decimal("1E+3"), "1000"),
        (datetime(2024, 1, 2, 3, tzinfo=UTC), "2024-01-02T03:00:00+00:00"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        ({"a": (Decimal(1), None, True)}, {"a": ["1", None, True]}),
        ({"password": "x", "api_token": "y", "otp": ""}, {"password": "***", "api_token": "***"}),
    ],
)
def test_values_are_kept_in_jsons_terms_and_secrets_not_at_all(value: Any, kept: Any) -> None:
    found = entries.safe(value)
    assert found == kept or {k: v for k, v in found.items() if v} == kept
