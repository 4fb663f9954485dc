"""References between rows, in raw SQL: none reaches a row of somebody else's.

Foreign keys are checked past policies. The tenant in the key keeps strangers out, the owner in it
other people of the same tenant.
"""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

import psycopg
import pytest
from django.db import models

from tenants.constraints import TenantReference
from tenants.ownership import TenantOwned, UserOwned, tenant_models
from tenants.rls import quoted
from tests.isolation.database import Cursor, as_tenant, as_user, inside, sabotaged
from tests.isolation.world import Trader, World

REFERENCES = [
    pytest.param(model, constraint, id=constraint.name)
    for model in tenant_models()
    for constraint in model._meta.constraints
    if isinstance(constraint, TenantReference)
]
OF_PEOPLE = [param for param in REFERENCES if issubclass(cast(Any, param.values[0]), UserOwned)]
TIERS = {"shared": 0, "dedicated": 3}
Model = type[TenantOwned]


@pytest.mark.parametrize(("model", "reference"), REFERENCES)
def test_no_row_hangs_on_a_strangers(
    world: World, model: Model, reference: TenantReference
) -> None:
    """Not even by whoever may touch every row of their own tenant."""
    mine, theirs = world.traders[0], world.traders[2]
    for context in (as_user(mine), as_tenant(mine)):
        with (
            sabotaged(_other_rules_gone(model, mine), context) as cursor,
            pytest.raises(psycopg.errors.ForeignKeyViolation, match=reference.name),
        ):
            _hang(cursor, mine, theirs, model, reference)


@pytest.mark.parametrize("first", TIERS.values(), ids=TIERS)
@pytest.mark.parametrize(("model", "reference"), OF_PEOPLE)
def test_no_row_hangs_on_another_persons(
    world: World, model: Model, reference: TenantReference, first: int
) -> None:
    """Bob's order stands on no account of Alice's, whoever writes it."""
    alice, bob = world.traders[first : first + 2]
    for context in (as_user(bob), as_tenant(bob)):
        with (
            sabotaged(_other_rules_gone(model, bob), context) as cursor,
            pytest.raises(psycopg.errors.ForeignKeyViolation, match=reference.name),
        ):
            _hang(cursor, bob, alice, model, reference)


@pytest.mark.parametrize(("model", "reference"), OF_PEOPLE)
def test_without_the_owner_in_the_key_it_would(
    world: World, model: Model, reference: TenantReference
) -> None:
    """The mutation, on both tiers: with the tenant alone in the key the row stands."""
    for first in TIERS.values():
        alice, bob = world.traders[first : first + 2]
        weak = f"{_other_rules_gone(model, bob)}; {_tenant_alone(model, reference, bob)}"
        with sabotaged(weak, as_user(bob)) as cursor:
            assert _hang(cursor, bob, alice, model, reference) == 1


@pytest.mark.parametrize("first", TIERS.values(), ids=TIERS)
@pytest.mark.parametrize(("model", "reference"), OF_PEOPLE)
def test_a_row_hangs_on_ones_own(
    world: World, model: Model, reference: TenantReference, first: int
) -> None:
    """What the others refuse is not refused for another reason."""
    bob = world.traders[first + 1]
    with sabotaged(_other_rules_gone(model, bob), as_user(bob)) as cursor:
        assert _hang(cursor, bob, bob, model, reference) == 1


@pytest.mark.parametrize("first", TIERS.values(), ids=TIERS)
def test_nobody_moves_an_order_to_another_account(world: World, first: int) -> None:
    alice, bob = world.traders[first : first + 2]
    with inside(as_user(bob)) as cursor, pytest.raises(psycopg.errors.ForeignKeyViolation):
        cursor.execute("UPDATE trading_order SET account_id = %s", [alice.ids["Account"]])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _hang(
    cursor: Cursor, mine: Trader, theirs: Trader, model: Model, reference: TenantReference
) -> int:
    """Insert a copy of a row of mine that refers to theirs; gives the number of rows."""
    table, field = model._meta.db_table, model._meta.get_field(reference.field)
    cursor.execute(
        f"SELECT to_jsonb(t) FROM {table} t WHERE user_id = %s LIMIT 1".encode(), [mine.user]
    )
    ((row,),) = cursor.fetchall()
    row["id"] = str(uuid4())
    row[cast(Any, field).column] = theirs.ids[cast(Any, field.related_model).__name__]
    cursor.execute(
        f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(null::{table}, %s)".encode(),
        [psycopg.types.json.Jsonb(row)],
    )
    written = cursor.rowcount
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return written


def _other_rules_gone(model: Model, trader: Trader) -> str:
    """Takes uniqueness and checks off the table, so that the reference alone decides."""
    schema = quoted(trader.person.tenant.live_schema)
    table = f"{schema}.{model._meta.db_table}"
    statements = ["SELECT"]
    for rule in model._meta.constraints:
        if isinstance(rule, models.CheckConstraint):
            statements.append(f"ALTER TABLE {table} DROP CONSTRAINT {rule.name}")
        elif isinstance(rule, models.UniqueConstraint) and "id" not in rule.fields:
            statements.append(
                f"ALTER TABLE {table} DROP CONSTRAINT {rule.name}"
                if rule.condition is None
                else f"DROP INDEX {schema}.{rule.name}"
            )
    return "; ".join(statements)


def _tenant_alone(model: Model, reference: TenantReference, trader: Trader) -> str:
    schema = quoted(trader.person.tenant.live_schema)
    field = cast(Any, model._meta.get_field(reference.field))
    return (
        f"ALTER TABLE {schema}.{model._meta.db_table} DROP CONSTRAINT {reference.name},"
        f" ADD FOREIGN KEY (tenant_id, {field.column})"
        f" REFERENCES {schema}.{field.related_model._meta.db_table} (tenant_id, id) NOT VALID"
    )
