"""Locks of the owner's connection: what killed it is told, not that nothing can be given back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest
from django.db import OperationalError, connections

from tenants.backend.routers import OWNER_ALIAS
from tenants.lifecycle import hands, turns
from tenants.lifecycle.errors import WorkUnderWay
from tests.isolation.database import connected

Held = Callable[[], AbstractContextManager[None]]
HELD: list[Held] = [
    partial(hands.held, "move x", refusal=WorkUnderWay),
    turns.kept_as_they_are,
    turns.changed_by_us,
]


pytestmark = pytest.mark.usefixtures("schemas_lock")


class Broken(Exception):
    """What went wrong first."""


def cut() -> None:
    """As an operator, or a server that goes down, ends the owner's connection."""
    with connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        ((pid,),) = cursor.fetchall()
    with connected("DATABASE_SUPERUSER_URL") as database:
        database.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.mark.parametrize("held", HELD)
def test_the_fault_that_came_first_is_told(held: Held) -> None:
    with pytest.raises(Broken), held():
        cut()
        raise Broken
    connections[OWNER_ALIAS].close()
    with held():
        """Whoever comes next gets it: it went with its connection."""


@pytest.mark.parametrize("held", HELD)
def test_a_lock_that_was_lost_meanwhile_is_no_success(held: Held) -> None:
    with pytest.raises(OperationalError), held():
        cut()
    connections[OWNER_ALIAS].close()


@pytest.mark.parametrize("held", HELD)
def test_what_breaks_off_gives_it_back_as_well(held: Held) -> None:
    for _ in range(2):
        with pytest.raises(Broken), held():
            raise Broken
