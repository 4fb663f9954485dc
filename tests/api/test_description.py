"""The API's description: for everybody the same, and written once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import reset_generator_stats
from drf_spectacular.generators import SchemaGenerator

from tests.cast import House, anywhere


def described(prefix: str = "", **headers: str) -> Any:
    client = Client(raise_request_exception=False, REMOTE_ADDR=anywhere())
    return client.get(f"{prefix}/api/v1/schema/?version=2&lang=x", headers=headers)


def test_it_is_the_same_at_every_address_and_for_everybody(house: House) -> None:
    at_home = f"/t/{house.tenant.slug}"
    told = [described(at_home), described(), described(at_home, **house.alice.headers)]
    assert [answer.status_code for answer in told] == [200] * 3
    assert len({answer.content for answer in told}) == 1
    assert house.tenant.slug not in told[0].content.decode()
    assert told[0]["Content-Type"].startswith("application/vnd.oai.openapi")


def test_json_is_given_to_who_asks_for_it() -> None:
    answer = described(Accept="application/vnd.oai.openapi+json")
    assert json.loads(answer.content) == json.loads(
        json.dumps(SchemaGenerator().get_schema(public=True))
    )


def test_it_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert described().status_code == 200

    def again(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(SchemaGenerator, "get_schema", again)
    assert described().status_code == 200


def test_no_two_shapes_share_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    reset_generator_stats()  # each warning is printed once a process
    SchemaGenerator().get_schema(public=True)
    told = capsys.readouterr().err
    assert "identical names" not in told
    assert "enum naming" not in told
