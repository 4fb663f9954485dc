"""The middleware owns the transaction: an answer of 400 or more leaves only what was kept."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenants import context
from tenants.models import Domain
from tenants.tasks import pulse
from tests.cast import House, now
from trading.brokers import accounts
from trading.brokers.accounts import Opening
from trading.models import Account


def write(request: HttpRequest) -> None:
    accounts.open_account(
        user_id=request.identity.user_id,
        opening=Opening(name=request.GET["name"], currency="USD", cost_method="average"),
        now=now(),
    )


def answer(request: HttpRequest) -> HttpResponse:
    write(request)
    return HttpResponse(status=int(request.GET["status"]))


def crash(request: HttpRequest) -> HttpResponse:
    write(request)
    raise RuntimeError("halfway")


def _fail(_items: list[None]) -> None:
    raise RuntimeError("at the commit")


def late(request: HttpRequest) -> HttpResponse:
    write(request)
    context.before_commit(_fail, None)
    return HttpResponse()


def keeping(request: HttpRequest) -> HttpResponse:
    write(request)
    context.keep()
    return HttpResponse(status=int(request.GET["status"]))


class Invalid(APIView):
    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        write(request._request)
        raise ValidationError("no")


urlpatterns = [
    path("answer", answer),
    path("crash", crash),
    path("late", late),
    path("keeping", keeping),
    path("invalid", Invalid.as_view()),
]


def call(house: House, where: str, name: str, status: int = 200) -> int:
    client = Client(raise_request_exception=False)
    with override_settings(ROOT_URLCONF=__name__):
        query = f"?name={name}&status={status}"
        answer = client.post(f"/{where}{query}", headers=house.alice.headers)
    assert "RateLimit-Limit" in answer  # whatever becomes of it
    return answer.status_code


def kept(house: House, name: str) -> bool:
    with house.alice.inside():
        return Account.objects.filter(name=name).exists()


@pytest.mark.parametrize(
    ("where", "status", "stays"),
    [
        ("answer", 200, True),
        ("answer", 302, True),
        ("answer", 400, False),
        ("answer", 404, False),
        ("answer", 500, False),
        ("crash", 500, False),
        ("late", 500, False),
        ("invalid", 400, False),
        ("keeping", 409, True),
        ("keeping", 500, False),
    ],
)
def test_only_a_good_answer_leaves_its_rows(
    house: House, where: str, status: int, stays: bool
) -> None:
    name = uuid4().hex
    assert call(house, where, name, status) == status
    assert kept(house, name) is stays


def test_what_one_request_keeps_is_nothing_to_the_next(house: House) -> None:
    first, second = uuid4().hex, uuid4().hex
    assert call(house, "keeping", first, 409) == 409
    assert call(house, "answer", second, 409) == 409
    assert [kept(house, name) for name in (first, second)] == [True, False]


def test_what_set_tenant_asked_for_ends_with_the_next_request_or_task(house: House) -> None:
    """django-tenants' call has no end of its own, and would be in the way of who comes next."""
    mallory = house.mallory
    connection.set_tenant(house.tenant)
    assert mallory.get("orders/").status_code == 200
    assert connection.schema_name == "public"
    connection.set_tenant(house.tenant)
    pulse()
    assert connection.schema_name == "public"


def test_a_suspended_tenant_is_told_so_and_reads_nothing(house: House) -> None:
    tenant = house.tenant
    tenant.status = tenant.Status.SUSPENDED
    tenant.save(update_fields=["status"])
    refused = house.alice.get("orders/")
    assert (refused.status_code, refused.json()["code"]) == (403, "tenant_suspended")


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("{slug}.localhost", "/api/v1/orders/", 200),
        ("{SLUG}.LOCALHOST", "/api/v1/orders/", 200),
        ("localhost", "/t/{slug}/api/v1/orders/", 200),
        ("localhost", "/api/v1/orders/", 200),
        ("nobody.localhost", "/api/v1/orders/", 404),
        ("a.{slug}.localhost", "/api/v1/orders/", 404),
        ("localhost", "/t/nobody/api/v1/orders/", 404),
        ("evil.example", "/api/v1/orders/", 404),
        ("{slug}.localhost", "/healthz", 404),
        ("{slug}.localhost", "/admin/", 404),
        ("localhost", "/healthz", 200),
    ],
)
def test_addresses(house: House, host: str, path: str, status: int) -> None:
    slug = house.tenant.slug
    client = Client(raise_request_exception=False)
    answer = client.get(
        path.format(slug=slug),
        headers={**house.alice.headers, "Host": host.format(slug=slug, SLUG=slug.upper())},
    )
    assert answer.status_code == status, answer.content
    if status >= 400:
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "is_metered"),
    [
        ("/healthz", False),
        ("/readyz", False),
        ("/healthz/", True),
        ("/healthzz", True),
        ("/metrics/../x", True),
        ("/t/{slug}/healthz", True),
    ],
)
def test_only_who_watches_the_platform_passes_uncounted(
    house: House, path: str, is_metered: bool
) -> None:
    client = Client(raise_request_exception=False)
    answer = client.get(path.format(slug=house.tenant.slug))
    assert ("RateLimit-Limit" in answer) is is_metered


def test_a_custom_domain_leads_to_its_tenant(house: House) -> None:
    host = f"trade-{house.tenant.slug}.example"
    Domain.objects.create(domain=host, tenant=house.tenant)
    answer = Client().get("/api/v1/orders/", headers={**house.alice.headers, "Host": host})
    assert answer.status_code == 200
    answer = Client().get("/api/v1/orders/", headers={**house.mallory.headers, "Host": host})
    assert answer.json()["code"] == "tenant_mismatch"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic abc", "Bearer \x00", "Token é"],
)
def test_a_bad_credential_is_a_401_with_a_problem(house: House, header: str) -> None:
    client = Client(raise_request_exception=False)
    answer = client.get("/api/v1/orders/", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == "Bearer"


def test_the_request_id_goes_in_and_out(house: House) -> None:
    answer = house.alice.get("orders/", X_Request_ID="mine-1")
    assert answer["X-Request-ID"] == "mine-1"
    answer = house.alice.get("orders/", X_Request_ID="not an id\n")
    assert answer["X-Request-ID"] != "not an id\n"
