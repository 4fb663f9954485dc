"""Logs: one line an event, whatever a client puts into it."""

from __future__ import annotations

import logging
import logging.config
import sys
from typing import Any

import pytest
from django.test import Client

from config.logs import TextFormatter, logging_config
from tests import web
from tests.cast import House
from tests.web import Server


def record(message: str, *values: Any, exc_info: Any = None) -> logging.LogRecord:
    made = logging.LogRecord("x", logging.INFO, "f", 1, message, values, exc_info)
    made.tenant, made.request_id = "-", "-"
    return made


def test_the_text_format_is_ours() -> None:
    formatter = logging_config("INFO", as_json=False)["formatters"]["text"]
    assert formatter["()"] == "config.logs.TextFormatter"
    logging.config.DictConfigurator({"version": 1}).configure_formatter(dict(formatter))


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_a_message_stays_on_its_line(end: str) -> None:
    line = TextFormatter("%(message)s").format(record("a%sb", f"{end}I bulkhead.requests forged"))
    assert len(line.splitlines()) == 1
    assert line.startswith("a\\")


def test_a_traceback_keeps_its_lines() -> None:
    try:
        int("x")
    except ValueError:
        text = TextFormatter("%(message)s").format(record("a\nb", exc_info=sys.exc_info()))
    assert text.splitlines()[:2] == [r"a\nb", "Traceback (most recent call last):"]


def test_a_path_cannot_forge_a_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "bulkhead.requests"):
        Client().get("/x%0aI%20bulkhead.requests%20tenant=1%1b[31m%E2%80%A8ü")
    (line,) = [r.getMessage() for r in caplog.records if r.name == "bulkhead.requests"]
    assert line.startswith("GET /x%0AI%20bulkhead.requests%20tenant%3D1%1B%5B31m%E2%80%A8")
    assert line.isascii()


def test_a_request_s_line_says_who_asked_and_from_where(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "bulkhead.requests"):
        house.alice.get("accounts/")
    (line,) = [r for r in caplog.records if r.name == "bulkhead.requests"]
    told = {name: getattr(line, name) for name in ("tenant", "actor", "address")}
    assert told == {
        "tenant": str(house.tenant.id),
        "actor": f"user:{house.alice.user_id}",
        "address": "127.0.0.1",
    }


def test_a_wrong_password_leaves_a_line_without_the_email(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"email": house.alice.email, "password": "Wrong-horse-7"}
    with caplog.at_level("WARNING", "bulkhead.guesses"):
        answer = Client().post("/api/v1/auth/login/", body, content_type="application/json")
    assert answer.status_code == 401
    (line,) = [r.getMessage() for r in caplog.records if r.name == "bulkhead.guesses"]
    assert line.endswith("from 127.0.0.1")
    assert house.alice.email not in line


def test_no_line_of_the_server_is_forged(server: Server) -> None:
    web.ask("GET", f"{server.url}/x%0aI%20bulkhead.forged%0d%0a")
    lines = server.log.read_text().splitlines()
    assert not [line for line in lines if line.startswith("I bulkhead.forged")]
