"""Every list's plan, as the view really runs it: an index of the tenant's, and no table scan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from accounts.access.roles import Role
from accounts.audit.models import AuditEvent
from benchmarks import plans
from tenants.ownership import tenant_tables
from tenants.viewsets import TenantViewSet
from tests.cast import Person, build_person
from tests.guards.routes import Route, api_routes
from tests.isolation.crowd import Pattern, crowded
from tests.isolation.world import Trader, build_world
from trading.models import Balance, NamedPortfolio, Notification

TENANTS, ROWS, LARGEST = 200, 200, 5_000
LISTS = [
    route
    for route in api_routes()
    if issubclass(route.view, TenantViewSet) and route.actions.get("get") == "list"
]
# A trader may not read the trail.
ASKED = [
    pytest.param(route, who, id=f"{route.name}-{who}")
    for route in LISTS
    for who in ("trader", "owner")
    # Nobody reads these: a trader no trail, and an owner nobody else's events.
    if (route.view.model, who) not in ((AuditEvent, "trader"), (Notification, "owner"))
]

# Of those, the ones that grow for as long as people trade; nobody names thousands of portfolios.
GROWING = [asked for asked in ASKED if asked.values[0].view.model is not NamedPortfolio]


@dataclass(frozen=True)
class Asker:
    """Someone of a tenant among many: a trader sees the own rows, an owner the tenant's."""

    trader: Person
    owner: Person


@pytest.fixture(scope="module")
def askers() -> Iterator[dict[str, Asker]]:
    """Of a tenant like all others, and of the largest: the planner can't tell which it is."""
    house = (world := build_world()).houses["starter"]
    # What lists read besides grows along: the planner scans a table that is small.
    models = {Balance, *(route.view.model for route in LISTS)}
    alice, mallory = (_trader(world.traders, person) for person in (house.alice, house.mallory))
    owner = build_person(house.mallory.tenant, "otto", Role.OWNER)
    with (
        crowded(_patterns(alice, models), tenants=TENANTS, rows=ROWS),
        crowded(_patterns(mallory, models), tenants=0, rows=LARGEST),
    ):
        yield {
            "one of many": Asker(house.alice, house.olga),
            "the largest": Asker(house.mallory, owner),
        }


def _trader(traders: list[Trader], person: Person) -> Trader:
    return next(trader for trader in traders if trader.person is person)


def _patterns(trader: Trader, models: set[Any]) -> list[Pattern]:
    return [Pattern(model, trader.person, trader.ids[model.__name__]) for model in models]


def plans_of(route: Route, person: Person) -> list[dict[str, Any]]:
    """Of the statements on tenant tables that a page of this route runs."""
    path = re.sub(r"^api/v1/|\$$", "", route.name)
    answers: list[Any] = []
    found = plans.of_request(lambda: answers.append(person.get(path)))
    assert answers[0].status_code == 200, answers[0].content
    assert answers[0].json()["results"]
    chosen = [plan for plan in found if plans.tables(plan) & tenant_tables()]
    assert route.view.model._meta.db_table in {t for plan in chosen for t in plans.tables(plan)}
    return chosen


@pytest.mark.parametrize("whose", ["one of many", "the largest"])
@pytest.mark.parametrize(("route", "who"), ASKED)
def test_every_list_reads_an_index_that_begins_with_the_tenant(
    askers: dict[str, Asker], route: Route, whose: str, who: str
) -> None:
    for plan in plans_of(route, getattr(askers[whose], who)):
        assert not set(plans.sequential(plan)) & tenant_tables()
        names = plans.indexes(plan)
        assert names
        with connection.cursor() as cursor:
            assert set(plans.first_columns(cursor, names).values()) == {"tenant_id"}


@pytest.mark.parametrize(("route", "who"), GROWING)
def test_a_page_of_the_largest_tenant_comes_from_the_index_in_its_order(
    askers: dict[str, Asker], route: Route, who: str
) -> None:
    """A sort would read all of its rows to show fifty."""
    for plan in plans_of(route, getattr(askers["the largest"], who)):
        assert plans.is_in_order(plan)
