"""Signing in and staying signed in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.access.callers import Device
from accounts.access.errors import InvalidCredential
from accounts.access.roles import ROLES, Permission, Role, allows
from accounts.login import actions, refreshing
from accounts.members import actions as access
from accounts.sessions.models import Session
from accounts.tokens import credentials
from accounts.users.models import User
from tenants.context import Scope
from tests.cast import PASSWORD, House, anywhere, now

pytestmark = pytest.mark.by_turns


def call(path: str, body: Any, **headers: str) -> Any:
    client = Client(raise_request_exception=False, REMOTE_ADDR=anywhere())
    return client.post(path, body, content_type="application/json", headers=headers)


def log_in(house: House, **changes: str) -> Any:
    body = {"email": house.alice.email, "password": PASSWORD, **changes}
    return call("/api/v1/auth/login/", body)


def test_a_log_in_gives_what_the_contract_says(house: House) -> None:
    answer = log_in(house)
    data = answer.json()
    assert answer.status_code == 200
    assert set(data) == {"access", "refresh", "expires_in", "user", "tenant", "role", "tenants"}
    assert (data["expires_in"], data["role"]) == (900, "trader")
    assert data["tenant"]["slug"] == house.tenant.slug
    assert credentials.identify(data["access"]).scope is Scope.USER


def test_the_tenant_can_be_named_by_slug_or_by_address(house: House) -> None:
    slug = house.tenant.slug
    assert log_in(house, tenant=slug).json()["tenant"]["slug"] == slug
    body = {"email": house.alice.email, "password": PASSWORD}
    at_address = call(f"/t/{slug}/api/v1/auth/login/", body)
    assert at_address.json()["tenant"]["slug"] == slug


@pytest.mark.parametrize("wrong", ["email", "password", "tenant"])
def test_whatever_is_wrong_the_answer_is_the_same(house: House, wrong: str) -> None:
    changes = {
        "email": f"{uuid4().hex}@x.example",
        "password": "Wrong-horse-7",
        "tenant": house.mallory.tenant.slug,
    }
    answer = log_in(house, **{wrong: changes[wrong]})
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_login")
    assert answer.json()["detail"] == "Email, password or tenant is not right."


def test_strangers_cannot_sign_in_at_anothers_address(house: House) -> None:
    body = {"email": house.mallory.email, "password": PASSWORD}
    assert call(f"/t/{house.tenant.slug}/api/v1/auth/login/", body).status_code == 401


def test_a_refresh_token_works_once_and_reuse_ends_the_session(house: House) -> None:
    first = log_in(house).json()["refresh"]
    second = call("/api/v1/auth/refresh/", {"refresh": first}).json()["refresh"]
    assert call("/api/v1/auth/refresh/", {"refresh": first}).status_code == 401
    assert call("/api/v1/auth/refresh/", {"refresh": second}).status_code == 401


def test_a_refresh_token_is_no_good_at_anothers_address_and_stays_good_at_home(
    house: House,
) -> None:
    token = {"refresh": log_in(house).json()["refresh"]}
    away = call(f"/t/{house.mallory.tenant.slug}/api/v1/auth/refresh/", token)
    assert (away.status_code, away.json()["code"]) == (403, "tenant_mismatch")
    home = call(f"/t/{house.tenant.slug}/api/v1/auth/refresh/", token)
    assert home.status_code == 200
    assert home["Cache-Control"] == "private, no-store"


def test_a_refresh_token_runs_out(house: House) -> None:
    token = log_in(house).json()["refresh"]
    with pytest.raises(InvalidCredential):
        actions.refresh(token=token, at=None, device=Device("", ""), now=now() + timedelta(days=2))


def test_a_used_refresh_token_ends_its_session_even_when_it_has_run_out(house: House) -> None:
    signed_in, device = log_in(house).json(), Device(anywhere(), "")
    first, began = signed_in["refresh"], now()
    trade = {"at": None, "device": device}
    second = actions.refresh(token=first, now=began + timedelta(hours=23), **trade).refresh
    late = began + timedelta(hours=25)
    with pytest.raises(InvalidCredential):
        actions.refresh(token=first, now=late, **trade)
    session_id = credentials.identify(signed_in["access"]).session_id
    assert Session.objects.get(pk=session_id).ended_because == refreshing.REUSED
    with pytest.raises(InvalidCredential):
        actions.refresh(token=second, now=late, **trade)


def test_logging_out_ends_the_session(house: House) -> None:
    session = log_in(house).json()
    bearer = f"Bearer {session['access']}"
    assert call("/api/v1/auth/logout/", None, Authorization=bearer).status_code == 204
    assert call("/api/v1/auth/refresh/", {"refresh": session["refresh"]}).status_code == 401


def test_me_says_who_and_where(house: House) -> None:
    me = house.olga.get("auth/me/").json()
    assert (me["user"]["email"], me["role"]) == (house.olga.email, "owner")
    assert me["tenant"]["slug"] == house.tenant.slug


@pytest.mark.parametrize("change", ["alg", "exp", "aud", "key", "role", "tenant"])
def test_a_forged_token_is_refused(house: House, change: str) -> None:
    claims = jwt.decode(house.alice.token, options={"verify_signature": False})
    name = jwt.get_unverified_header(house.alice.token)["kid"]
    key, algorithm = credentials._keys()[name], "HS256"
    if change == "alg":
        key, algorithm = None, "none"
    elif change == "key":
        key = b"another key that is long enough for it"
    elif change == "exp":
        claims["exp"] = 1
    elif change == "role":
        claims["role"] = "emperor"
    elif change == "tenant":
        del claims["tenant"]
    else:
        claims["aud"] = "elsewhere"
    forged = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": name})
    with pytest.raises(InvalidCredential):
        credentials.identify(forged)


def test_only_owners_and_admins_see_the_whole_tenant() -> None:
    seeing = {role for role in Role if allows(role, Permission.SEE_WHOLE_TENANT)}
    assert seeing == {Role.OWNER, Role.ADMIN, Role.SUPPORT}
    assert set(ROLES) == set(Role)
    assert not allows(Role.VIEWER, Permission.TRADE)


def test_an_owner_sees_what_the_traders_of_the_tenant_have(house: House) -> None:
    house.alice.post("accounts/", {"name": "hers"})
    house.mallory.post("accounts/", {"name": "foreign"})
    names = {row["name"] for row in house.olga.get("accounts/").json()["results"]}
    assert names == {"hers"}


def test_a_viewer_reads_and_never_writes(house: House) -> None:
    assert house.vera.get("accounts/").status_code == 200
    refused = house.vera.post("accounts/", {"name": "x"})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_one_person_may_belong_to_two_tenants(house: House) -> None:
    other = house.mallory.tenant
    user = User.objects.get(pk=house.alice.user_id)
    access.ensure_member(tenant=other, user=user, role=Role.ADMIN, by="system:test", now=now())
    session = log_in(house, tenant=other.slug).json()
    assert (session["role"], len(session["tenants"])) == ("admin", 2)


def test_knowing_who_asks_takes_no_query(house: House) -> None:
    """The whole request is one statement: that of the list."""
    house.alice.get("accounts/")  # the plan's limits are remembered from here on
    with CaptureQueriesContext(connection) as captured:
        assert house.alice.get("accounts/").status_code == 200
    begun, listed, committed = (query["sql"] for query in captured.captured_queries)
    assert (begun, committed) == ("BEGIN", "COMMIT")
    assert 'FROM "trading_account"' in listed


def test_the_key_may_change_while_people_are_signed_in(house: House, settings: Any) -> None:
    """What the old one signed stays good until it runs out; new tokens carry the new one's name."""
    old = house.alice.token
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [settings.SECRET_KEY]
    assert house.alice.get("accounts/").status_code == 200
    fresh = log_in(house).json()["access"]
    assert jwt.get_unverified_header(fresh)["kid"] != jwt.get_unverified_header(old)["kid"]
    settings.SECRET_KEY_FALLBACKS = []
    assert house.alice.get("accounts/").status_code == 401


def test_a_session_ends_one_day_however_often_it_is_refreshed(house: House) -> None:
    token, device = log_in(house).json()["refresh"], Device(address=anywhere(), agent="test")
    began = now()
    for time in range(1, 32):
        at = began + timedelta(hours=23 * time)
        token = actions.refresh(token=token, at=None, device=device, now=at).refresh
    with pytest.raises(InvalidCredential):
        late = began + timedelta(days=30, minutes=1)
        actions.refresh(token=token, at=None, device=device, now=late)
