"""What browsers are told, on every kind of answer."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import House


@pytest.mark.parametrize("path", ["/healthz", "/admin/login/", "/api/v1/docs/", "/nowhere"])
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
