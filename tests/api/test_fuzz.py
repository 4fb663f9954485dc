"""Whatever a client sends: no 500, no undocumented status, problems as problem documents."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.isolation.world import World, build_world
from tests.web import Server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))


@pytest.fixture(scope="module")
def fuzzed() -> World:
    """Tenants of this module's own: the fuzz writes into them."""
    return build_world()


@schema.parametrize()
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_bears_anything(case: Any, fuzzed: World, server: Server) -> None:
    """As a trader of each tier in turn, and as nobody."""
    traders = (fuzzed.traders[0], fuzzed.traders[3])
    for trader, headers in [(t, t.person.headers) for t in traders] + [(traders[0], {})]:
        _with_real_ids(case, trader.ids)
        case.call_and_validate(base_url=server.url, headers=headers, checks=CHECKS)


def _with_real_ids(case: Any, ids: dict[str, str]) -> None:
    """Half of the cases go to objects that exist, so that the fuzz gets past the 404."""
    kind = next((k for k in ids if f"/{k.lower()}s/" in case.operation.path), None)
    if kind and case.path_parameters and len(str(case.path_parameters.get("id", ""))) % 2 == 0:
        case.path_parameters["id"] = ids[kind]
