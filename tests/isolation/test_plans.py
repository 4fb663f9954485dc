"""Every list's plan, as the view really runs it: an index of the tenant's, and no table scan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from accounts.access.roles import Role
from accounts.sessions.models import Session
from backups.models import Backup, Restoration
from benchmarks import plans
from config.api.pagination import CursorPages
from tenants.ownership import TenantOwned, tenant_tables
from tenants.viewsets import SealedViewSet
from tests.cast import Person, build_person
from tests.guards.routes import Route, api_routes
from tests.isolation.crowd import Pattern, crowded
from tests.isolation.test_strangers import OVERSEEN, PERSONAL, path_of
from tests.isolation.world import Trader, build_world
from trading.models import (
    AccountLimits,
    AutoBuy,
    Balance,
    BracketTerms,
    DecisionLog,
    ExchangeCredential,
    NamedPortfolio,
    NamedPortfolioAccount,
    PerpetualTerms,
    Reconciliation,
)

TENANTS, ROWS, MEMBERS, LARGEST = 1_000, 40, 10, 5_000
LISTS = [
    route
    for route in api_routes()
    if issubclass(route.view, SealedViewSet) and route.actions.get("get") == "list"
]
# Nobody reads these: a trader what those in charge look at, and an owner nobody else's events.
ASKED = [
    pytest.param(route, who, id=f"{route.name}-{who}")
    for route in LISTS
    for who, unseen in (("trader", OVERSEEN), ("owner", PERSONAL))
    if route.view.model.__name__ not in unseen
]
# A tenant has dozens of them: of thousands of one tenant the planner would rather read them all.
FEW = (Backup, Restoration)
WHOSE = [
    pytest.param(*asked.values, whose, id=f"{asked.id}-{whose}")
    for asked in ASKED
    for whose in ("one of many", "the largest")
    if whose == "one of many" or asked.values[0].view.model not in FEW
]
# Of those, the ones that grow for as long as people trade; nobody names thousands of portfolios.
GROWING = [
    asked
    for asked in ASKED
    if issubclass(asked.values[0].view.model, TenantOwned)
    and asked.values[0].view.model is not NamedPortfolio
]
# What belongs to one row, such as the fills of an order; of backups that is a file.
NESTED = [
    route
    for route in api_routes()
    if route.is_detail
    and route.actions.get("get") not in (None, "retrieve")
    and route.view.model not in FEW
]
# What lists join, or read after their rows, and what is read of one row.
BESIDE = {
    *(BracketTerms, PerpetualTerms, NamedPortfolioAccount),
    *(AccountLimits, AutoBuy, Balance, DecisionLog, ExchangeCredential, Reconciliation),
}
# What is filled below: of a table that is not, a plan says nothing, so none may be read.
FILLED = {Session, *BESIDE, *(route.view.model for route in LISTS)}
FILLED_TABLES = {model._meta.db_table for model in FILLED}
# With those that tenants share, and that grow with their people.
WALLED = tenant_tables() | FILLED_TABLES


@dataclass(frozen=True)
class Asker:
    """Someone of a tenant among many: a trader sees the own rows, an owner the tenant's."""

    trader: Person
    owner: Person
    ids: dict[str, str]  # of the trader's rows, by model


@pytest.fixture(scope="module")
def askers() -> Iterator[dict[str, Asker]]:
    """Of a tenant like all others, and of the largest: the planner can't tell which it is."""
    house = (world := build_world()).houses["starter"]
    alice, mallory = (_trader(world.traders, person) for person in (house.alice, house.mallory))
    owner = build_person(house.mallory.tenant, "otto", Role.OWNER)
    patterns = _patterns(alice, FILLED)
    with (
        crowded([p for p in patterns if not p.is_shared], tenants=TENANTS, rows=ROWS),
        crowded([p for p in patterns if p.is_shared], tenants=TENANTS, rows=MEMBERS),
        crowded(_patterns(mallory, FILLED), tenants=0, rows=LARGEST),
    ):
        yield {
            "one of many": Asker(house.alice, house.olga, alice.ids),
            "the largest": Asker(house.mallory, owner, mallory.ids),
        }


def _trader(traders: list[Trader], person: Person) -> Trader:
    return next(trader for trader in traders if trader.person is person)


def _patterns(trader: Trader, models: set[Any]) -> list[Pattern]:
    ids = {**trader.ids, "Session": trader.ids["SignedIn"]}
    with trader.person.inside():
        for model in (model for model in models if model.__name__ not in ids):
            ids[model.__name__] = str(model._default_manager.values_list("id", flat=True)[0])
    return [Pattern(model, trader.person, ids[model.__name__]) for model in models]


def plans_of(route: Route, person: Person) -> list[dict[str, Any]]:
    """Of the statements on tenants' rows that a page of this route runs."""
    path = re.sub(r"^api/v1/|\$$", "", route.name)
    found, answer = asked(path, person)
    assert answer.json()["results"]
    assert route.view.model._meta.db_table in {t for plan in found for t in plans.tables(plan)}
    return found


def asked(path: str, person: Person) -> tuple[list[dict[str, Any]], Any]:
    """The plans of a page on tables that are filled, as all it reads have to be, and the page."""
    answers: list[Any] = []
    found = plans.of_request(lambda: answers.append(person.get(path)))
    assert answers[0].status_code == 200, answers[0].content
    walled = [plan for plan in found if plans.tables(plan) & WALLED]
    read = {table for plan in walled for table in plans.tables(plan)}
    assert read & WALLED <= FILLED_TABLES
    return walled, answers[0]


@pytest.mark.parametrize(("route", "who", "whose"), WHOSE)
def test_every_list_reads_an_index_that_begins_with_the_tenant(
    askers: dict[str, Asker], route: Route, who: str, whose: str
) -> None:
    for plan in plans_of(route, getattr(askers[whose], who)):
        assert not set(plans.sequential(plan)) & WALLED
        assert first_columns(plan) == {"tenant_id"}


@pytest.mark.parametrize("whose", ["one of many", "the largest"])
@pytest.mark.parametrize("route", NESTED, ids=lambda route: route.name)
def test_so_does_what_belongs_to_one_row(
    askers: dict[str, Asker], route: Route, whose: str
) -> None:
    asker = askers[whose]
    path = path_of(route, asker.ids[route.view.model.__name__])
    found, _ = asked(path.removeprefix("api/v1/"), asker.trader)
    assert found
    for plan in found:
        assert not set(plans.sequential(plan)) & WALLED
        assert first_columns(plan) == {"tenant_id"}


def first_columns(plan: dict[str, Any]) -> set[str]:
    """Of the indexes that are read."""
    with connection.cursor() as cursor:
        return set(plans.first_columns(cursor, plans.indexes(plan)).values())


@pytest.mark.parametrize("whose", ["one of many", "the largest"])
def test_ones_own_sessions_which_the_platform_keeps_come_from_one_too(
    askers: dict[str, Asker], whose: str
) -> None:
    found, answer = asked("auth/sessions/", askers[whose].trader)
    assert answer.json()["results"]
    assert "accounts_session" in {table for plan in found for table in plans.tables(plan)}
    for plan in found:
        assert not set(plans.sequential(plan)) & WALLED
        assert first_columns(plan) == {"tenant_id"}


@pytest.mark.parametrize(("route", "who"), GROWING)
def test_a_page_of_the_largest_tenant_comes_from_the_index_in_its_order(
    askers: dict[str, Asker], route: Route, who: str
) -> None:
    """A sort would read all of its rows to show fifty; so would a join that knows no tenant."""
    for plan in plans_of(route, getattr(askers["the largest"], who)):
        assert plans.is_in_order(plan)
        assert plans.most_rows(plan) <= CursorPages.page_size + 1  # one tells whether more follow
