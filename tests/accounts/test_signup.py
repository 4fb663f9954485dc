"""Signing up: a tenant of one's own, for who is new and for who proves to be known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.contrib.auth import hashers
from django.db import IntegrityError, connection
from django.test import Client
from pytest_django import Settings

from accounts.access.models import Membership
from accounts.mfa.errors import SecondFactorNeeded, WrongSecondFactor
from accounts.onboarding import actions as onboarding
from accounts.trail.models import PlatformEvent
from accounts.users.models import User
from tenants.models import Tenant
from tests.accounts.doors import call, post
from tests.accounts.test_members import told
from tests.cast import PASSWORD, House, anywhere, build_house, build_tenant, now


@pytest.fixture
def someone() -> House:
    return build_house("starter")


def slug() -> str:
    return f"s{uuid4().hex[:12]}"


def sign_up(at: str = "", **changes: Any) -> Any:
    body = {"email": f"{slug()}@new.example", "password": PASSWORD, "tenant": slug(), **changes}
    return post("auth/signup/", body, at=at)


def test_a_newcomer_gets_a_tenant_and_is_signed_in() -> None:
    name = slug()
    answer = sign_up(tenant=name, name="New & Sons", email=f"{name}@NEW.example")
    data = answer.json()
    assert answer.status_code == 201, data
    assert set(data) == {"access", "refresh", "expires_in", "user", "tenant", "role", "tenants"}
    assert (data["role"], data["tenant"]["tier"]) == ("owner", "starter")
    assert (data["tenant"]["slug"], data["tenant"]["name"]) == (name, "New & Sons")
    assert data["user"]["email"] == f"{name}@new.example"
    members = call("GET", "members/", credential=f"Bearer {data['access']}").json()["results"]
    assert [row["email"] for row in members] == [f"{name}@new.example"]
    assert PlatformEvent.objects.filter(
        action="tenant.signed_up", key=data["tenant"]["id"]
    ).exists()


def test_a_known_person_gets_a_further_tenant(someone: House) -> None:
    answer = sign_up(email=someone.alice.email)
    assert answer.status_code == 201
    assert len(answer.json()["tenants"]) == 2
    assert answer.json()["user"]["id"] == str(someone.alice.user_id)


def test_a_wrong_password_of_a_known_person_counts_as_at_log_in(someone: House) -> None:
    address, name = anywhere(), slug()
    for _ in range(5):
        wrong = sign_up(address, email=someone.alice.email, password="Wrong-horse-7", tenant=name)
        assert told(wrong) == (401, "wrong_login")
        assert wrong.json()["detail"] == "Email, password or tenant is not right."
    right = sign_up(address, email=someone.alice.email)
    assert told(right) == (429, "too_many_attempts")
    assert not Tenant.objects.filter(slug=name).exists()


def test_a_known_persons_second_factor_is_asked_for(someone: House) -> None:
    name = slug()
    with patch("accounts.mfa.actions.check", side_effect=SecondFactorNeeded) as check:
        needed = sign_up(email=someone.alice.email, tenant=name)
        assert told(needed) == (401, "second_factor_needed")
        check.side_effect = WrongSecondFactor
        wrong = sign_up(email=someone.alice.email, tenant=name, otp="000000")
        assert told(wrong) == (401, "wrong_second_factor")
    assert not Tenant.objects.filter(slug=name).exists()


def test_somebody_shut_out_gets_no_tenant(someone: House) -> None:
    User.objects.filter(pk=someone.alice.user_id).update(is_active=False)
    assert told(sign_up(email=someone.alice.email)) == (401, "wrong_login")


@pytest.mark.parametrize("email", ["known", "unknown"])
def test_a_slug_that_is_taken_is_said_to_everyone_alike(someone: House, email: str) -> None:
    address = someone.alice.email if email == "known" else f"{slug()}@new.example"
    taken = sign_up(email=address, password="Wrong-horse-7", tenant=someone.tenant.slug)
    assert told(taken) == (409, "slug_taken")
    assert User.objects.filter(email=address).exists() == (email == "known")


@pytest.mark.parametrize("status", ["provisioning", "suspended"])
def test_a_tenant_in_the_making_is_not_taken_over(status: str) -> None:
    tenant = build_tenant()
    Tenant.objects.filter(pk=tenant.pk).update(status=status)
    assert told(sign_up(tenant=tenant.slug)) == (409, "slug_taken")
    assert not Membership.objects.filter(tenant=tenant).exists()


def test_a_tenant_that_appears_meanwhile_is_not_taken_over() -> None:
    tenant = build_tenant()
    Tenant.objects.filter(pk=tenant.pk).update(status="provisioning")
    email = f"{slug()}@new.example"
    with pytest.raises(onboarding.SlugTaken):
        onboarding._found(
            None, email=email, password=PASSWORD, slug=tenant.slug, name="x", now=now()
        )
    assert Tenant.objects.get(pk=tenant.pk).status == "provisioning"
    assert not User.objects.filter(email=email).exists()


def test_somebody_who_appears_meanwhile_is_not_taken_over(someone: House) -> None:
    name = slug()
    with pytest.raises(onboarding.WrongLogin):
        onboarding._found(
            None, email=someone.alice.email, password=PASSWORD, slug=name, name="x", now=now()
        )
    assert not Tenant.objects.filter(slug=name).exists()


def test_of_two_with_one_slug_one_gets_it() -> None:
    name = slug()

    def act(_: int) -> int:
        try:
            return int(sign_up(tenant=name).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(act, range(3))) == [201, 409, 409]
    assert Membership.objects.filter(tenant__slug=name).count() == 1


RESERVED = ["www", "api", "admin", "static", "t", "xn--80ak6aa92e"]
NO_LABEL = ["", "a b", "A", "-a", "a-", "a.b", "x" * 64, "ä", "../x", None, 1.5, ["a"]]


@pytest.mark.parametrize("name", [*RESERVED, *NO_LABEL], ids=repr)
def test_names_that_are_reserved_or_no_host_label_are_refused(name: Any) -> None:
    answer = sign_up(tenant=name)
    assert told(answer) == (400, "invalid")
    assert answer.json()["errors"][0]["field"] == "tenant"


@pytest.mark.parametrize("name", ["a\r\nBcc: x", "x" * 121, "a\x1b[31m"])
def test_a_name_is_one_short_line(name: str) -> None:
    assert told(sign_up(name=name)) == (400, "invalid")


@pytest.mark.parametrize("email", ["known", "unknown"])
def test_the_password_keeps_the_rules_whoever_asks(someone: House, email: str) -> None:
    address = someone.alice.email if email == "known" else f"{slug()}@new.example"
    assert told(sign_up(email=address, password="password")) == (400, "unfit_password")


def test_known_and_unknown_take_one_hash_each(someone: House) -> None:
    taken: list[int] = []
    for email in (someone.alice.email, f"{slug()}@new.example"):
        hasher = hashers.get_hasher()
        with patch.object(
            type(hasher), "encode", autospec=True, side_effect=type(hasher).encode
        ) as e:
            sign_up(email=email)
        taken.append(e.call_count)
    assert taken == [1, 1]


def test_sign_ups_are_counted_by_address(settings: Settings) -> None:
    settings.SIGNUPS_PER_HOUR = 2
    address = anywhere()
    assert [sign_up(address).status_code for _ in range(3)] == [201, 201, 429]
    refused = sign_up(address)
    assert refused.json()["code"] == "too_many_signups"
    assert 0 < int(refused["Retry-After"]) <= 3600
    neighbour = f"{':'.join(address.split(':')[:4])}::1"
    assert sign_up(neighbour).status_code == 429
    assert sign_up().status_code == 201


def test_a_tenants_address_signs_nobody_up(someone: House) -> None:
    client = Client(raise_request_exception=False, REMOTE_ADDR=anywhere())
    body = {"email": f"{slug()}@new.example", "password": PASSWORD, "tenant": slug()}
    path = f"/t/{someone.tenant.slug}/api/v1/auth/signup/"
    assert client.post(path, body, content_type="application/json").status_code == 404


def test_the_tier_and_the_role_are_not_the_newcomers_to_choose() -> None:
    data = sign_up(tier="enterprise", plan="enterprise", is_staff=True, role="support").json()
    assert (data["tenant"]["tier"], data["role"]) == ("starter", "owner")
    assert not User.objects.get(pk=data["user"]["id"]).is_staff


def test_another_fault_than_the_slug_is_not_called_that() -> None:
    """Whoever is told that a name is taken looks for another one, for nothing."""
    fault = IntegrityError("something else")
    with patch("accounts.trail.actions.record", side_effect=fault), pytest.raises(IntegrityError):
        onboarding._found(
            None, email=f"{slug()}@new.example", password=PASSWORD, slug=slug(), name="x", now=now()
        )
