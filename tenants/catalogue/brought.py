"""What an app brings into the database besides its tables, declared by its AppConfig. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Function:
    """A function as `pg_proc` should have it; `volatility` in the letter used there.

    One that runs as a trigger of tenants' tables says what it would do `on_a_shard`: on a machine
    that has the rows of some tenants, under the name of a part of the table.
    """

    signature: str
    body: str
    definer: bool
    volatility: str
    callers: tuple[str, ...]
    on_a_shard: str = ""


@dataclass(frozen=True, slots=True)
class Brought:
    """The value of an AppConfig's `brings`.

    Triggers of tenant tables come by migration, and so stand in every schema that is compared;
    those of shared tables are named here, by table, with the statement that makes them.
    """

    functions: tuple[Function, ...] = ()
    shared_triggers: Mapping[str, str] = field(default_factory=dict)


def body_of(statements: str) -> str:
    """What stands between the dollar quotes; PostgreSQL keeps it to the letter."""
    return statements.split("$body$")[1]


def trigger_function(signature: str, statements: str, *, on_a_shard: str = "") -> Function:
    """One that nobody calls: it runs as a trigger, with the rights of whoever set it off."""
    body = body_of(statements)
    return Function(
        signature, body, definer=False, volatility="v", callers=(), on_a_shard=on_a_shard
    )
