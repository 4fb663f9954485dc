"""Fewer statements for the same schema. That it is the same, `test_provisioning.py` shows."""

from __future__ import annotations

import pytest

from tenants.lifecycle.shortening import shortened

MADE = 'CREATE TABLE "boat" (id uuid)'
LIFTED = 'ALTER TABLE "boat" NO FORCE ROW LEVEL SECURITY'
FORCED = 'ALTER TABLE "boat" FORCE ROW LEVEL SECURITY'
CHECK = 'ALTER TABLE "boat" ADD CONSTRAINT "floats" CHECK ("draught" > 0)'
KEY = (
    'ALTER TABLE "boat" ADD CONSTRAINT "has_a_harbour" FOREIGN KEY (tenant_id, "harbour_id")'
    ' REFERENCES "harbour" (tenant_id, id) DEFERRABLE INITIALLY DEFERRED'
)
UNIQUE = 'ALTER TABLE "boat" ADD CONSTRAINT "name_is_its_own" UNIQUE ("tenant_id", "name")'


def dropped(name: str, table: str = "boat") -> str:
    return f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"'


@pytest.mark.parametrize(
    ("statements", "left"),
    [
        ([MADE, FORCED, LIFTED, KEY, FORCED], [MADE, KEY, FORCED]),
        ([MADE, FORCED, LIFTED], [MADE, LIFTED]),
        ([MADE, CHECK, KEY, dropped("floats")], [MADE, KEY]),
        ([KEY, dropped("has_a_harbour"), KEY], [KEY]),
        ([KEY, dropped("has_a_harbour"), KEY, dropped("has_a_harbour")], []),
    ],
)
def test_what_passes_is_left_out(statements: list[str], left: list[str]) -> None:
    assert shortened(statements) == tuple(left)


@pytest.mark.parametrize(
    "statements",
    [
        [UNIQUE, dropped("name_is_its_own")],  # a reference may stand on it meanwhile
        [CHECK, dropped("floats", "ship")],
        [dropped("floats"), CHECK],
        [f"{CHECK}; {MADE}", dropped("floats")],
        [f"{dropped('floats')} CASCADE", CHECK],
        ['ALTER TABLE "boat" DROP CONSTRAINT "floats", ADD CONSTRAINT "floats" CHECK (true)'],
    ],
)
def test_what_is_not_understood_stays(statements: list[str]) -> None:
    assert shortened(statements) == tuple(statements)
