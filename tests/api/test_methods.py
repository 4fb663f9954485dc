"""OPTIONS and HEAD: what nobody thinks of answers like the rest."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.attacks.matrix import operations
from tests.cast import House, build_house

PATHS = sorted({operation.path for operation in operations()})


@pytest.fixture(scope="module")
def house() -> House:
    return build_house("starter")


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
def test_no_route_fails_at_it(house: House, path: str, method: str) -> None:
    where = path.replace("{id}", str(uuid4())).replace("{symbol}", "NO-SUCH")
    for person in (house.olga.headers, {"Authorization": ""}):
        answer = house.olga.request(method, where, **person)
        assert answer.status_code < 500, answer.content


def test_every_path_is_tried() -> None:
    assert len(PATHS) > 40
