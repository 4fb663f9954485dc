"""What browsers are told, on every kind of answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.cast import House


@pytest.mark.parametrize(
    "path", ["/healthz", "/admin/login/", "/api/v1/docs/", "/nowhere", "/t/nobody-here/api/v1/"]
)
def test_every_answer_says_what_a_page_may_do(path: str) -> None:
    answer = Client().get(path)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


def test_an_answer_that_ends_early_asks_for_tls_as_well(settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_PRELOAD = 3600, False
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    answer = Client().get("/t/nobody-here/api/v1/", secure=True)
    assert answer["Strict-Transport-Security"] == "max-age=3600; includeSubDomains"


@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/docs/"])
def test_no_page_of_ours_needs_an_inline_script(path: str) -> None:
    page = Client().get(path).content.decode()
    assert "<script>" not in page
    assert "<style>" not in page
    assert " onclick=" not in page


def test_other_origins_get_no_leave_to_read(house: House) -> None:
    elsewhere = {"Origin": "https://evil.example"}
    answer = house.alice.get("accounts/", **elsewhere)
    assert "Access-Control-Allow-Origin" not in answer
    preflight = house.alice.request(
        "OPTIONS", "accounts/", Access_Control_Request_Method="GET", **elsewhere
    )
    assert "Access-Control-Allow-Origin" not in preflight
