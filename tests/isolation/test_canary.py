"""A canary in every text there is: no one else's page, and no log or cache, has it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from uuid import uuid4
from zipfile import ZipFile

import pytest
from django.core.cache import cache
from django.db import IntegrityError

from config.api import problems
from config.celery import application
from tests.accounts.doors import call, stepped_up
from tests.cast import Person, job, now
from tests.guards.routes import Route
from tests.isolation import valkey
from tests.isolation.database import connected, without_walls
from tests.isolation.surface import pages, read
from tests.isolation.test_strangers import LISTS
from tests.isolation.texts import CLOSED, Column, columns
from tests.isolation.world import Trader, World
from tests.web import Server, client
from trading.models import Account

COLUMNS = columns()
OPEN = [column for column in COLUMNS if column.label not in CLOSED]


def holders(column: Column, world: World) -> list[Trader]:
    """Those whose own mark, or their tenant's, stands in the column."""
    found = []
    with connected("DATABASE_SUPERUSER_URL") as connection:
        for trader in world.traders:
            marks = [f"%{mark}%" for mark in trader.marks]
            table = column.table(trader.person.tenant.live_schema)
            query = f'SELECT EXISTS (SELECT FROM {table} WHERE "{column.name}"::text LIKE ANY (%s))'
            if connection.execute(query.encode(), [marks]).fetchone() == (True,):
                found.append(trader)
    return found


@pytest.mark.parametrize("column", OPEN, ids=lambda column: column.label)
def test_the_canary_of_each_stands_in_every_column_of_text(world: World, column: Column) -> None:
    """Otherwise its absence elsewhere would mean little."""
    assert holders(column, world) == world.traders


def test_no_reason_for_a_column_without_canary_is_stale(world: World) -> None:
    closed = {column.label: column for column in COLUMNS if column.label in CLOSED}
    assert set(closed) == set(CLOSED)
    assert not [label for label, column in closed.items() if holders(column, world)]


@pytest.mark.parametrize("route", read(), ids=lambda route: route.name)
def test_no_page_shows_anothers_canary(server: Server, world: World, route: Route) -> None:
    statuses = set()
    for place, (reader, trader) in enumerate(world.readers()):
        headers = {"Authorization": stepped_up(reader)}
        base = f"{server.url}/t/{reader.tenant.slug}"
        with client(base_url=base, headers=headers, timeout=20) as asking:
            asked = pages(route, trader, world)
            for page in asked if place in IN_FULL else asked[:1]:
                answer = asking.get(f"/{page}")
                told = f"{answer.text} {answer.headers}"
                assert answer.status_code in (200, 204, 400, 403, 422), (page, told)
                assert not [text for text in world.foreign_to(reader) if text in told], page
                statuses.add(answer.status_code)
    assert statuses & {200, 204}, "nobody was shown anything"


TOLD = [
    *(route for route in read() if route in LISTS and "instrument" not in route.name),
    *(route for route in read() if route.name.endswith(("export/", "me/", "portfolio/"))),
]

# Of the readers: who asks with each value that a parameter names, on both tiers and in charge.
IN_FULL = (0, 3, 6)
# These look for the one person besides, whatever the walls let through.
BY_PERSON = ("api/v1/auth/me/", "api/v1/notifications/")
WALLED = [route for route in TOLD if route.name.rstrip("$") not in BY_PERSON]


@pytest.mark.parametrize("route", TOLD, ids=lambda route: route.name)
def test_a_page_shows_its_own_persons_mark(server: Server, world: World, route: Route) -> None:
    """Otherwise the page above would be one that shows nothing."""
    for trader in world.traders:
        readers = (trader.person, world.owner_over(trader))
        assert [r for r in readers if shows(server, r, pages(route, trader, world)[0], trader)]


def shows(server: Server, reader: Person, page: str, trader: Trader) -> bool:
    with client(headers={"Authorization": stepped_up(reader)}, timeout=20) as asking:
        text = asking.get(f"{server.url}/t/{reader.tenant.slug}/{page}").text
    return any(mark in text for mark in trader.marks)


@pytest.mark.parametrize("route", WALLED, ids=lambda route: route.name)
def test_without_walls_a_page_would_show_it(world: World, route: Route) -> None:
    """The mutation: the same pages, asked in this process."""
    with without_walls():
        assert any(
            secret in text
            for reader, trader in world.readers()
            for text in leafed_through(pages(route, trader, world)[0], reader)
            for secret in world.foreign_to(reader)
        )


def leafed_through(page: str, reader: Person) -> Iterator[str]:
    """A list to its end: without walls all tenants there ever were may stand before the world's."""
    path = page.removeprefix("api/v1/")
    while path:
        answer = call("GET", path, credential=stepped_up(reader))
        yield answer.content.decode()
        is_list = answer["Content-Type"] == "application/json" and "next" in answer.json()
        path = (answer.json()["next"] or "").partition("/api/v1/")[2] if is_list else ""


def test_an_export_of_a_backup_shows_its_own_tenants_marks_alone(
    server: Server, world: World
) -> None:
    """Compressed, it would hide them from the tests above."""
    for trader in world.traders:
        owner = world.owner_over(trader)
        path = f"api/v1/backups/{trader.ids['Backup']}/export/download/"
        with client(headers={"Authorization": stepped_up(owner)}, timeout=20) as asking:
            answer = asking.get(f"{server.url}/t/{owner.tenant.slug}/{path}")
        with ZipFile(BytesIO(answer.content)) as file:
            text = b"".join(file.read(name) for name in file.namelist()).decode()
        assert trader.canary in text
        assert not [secret for secret in world.foreign_to(owner) if secret in text]


def test_no_log_line_shows_a_canary(server: Server, world: World) -> None:
    """Logs are read by operators, who see no tenant's data."""
    for trader in world.traders:
        canary, account = trader.canary, trader.ids["Account"]
        refused = {
            "orders/": ({"account": account, "client_order_id": canary}, 400),
            "accounts/": ({"name": canary}, 409),
            "portfolios/": ({"name": canary, "initial_capital": "1"}, 409),
            f"accounts/{account}/deposit/": ({"currency": f"{canary}.", "amount": "1"}, 400),
        }
        with client(headers={**trader.person.headers, "User-Agent": canary}) as asking:
            for path, (body, status) in refused.items():
                answer = asking.post(f"{server.url}/api/v1/{path}?q={canary}", json=body)
                assert answer.status_code == status, answer.text
    log = server.log.read_text()
    assert log
    assert not [t for t in world.traders if t.canary in log or t.person.email in log]


def test_a_conflict_tells_the_rule_and_nothing_of_the_row(world: World) -> None:
    """PostgreSQL's own words would hold the row's values, but for its policies."""
    trader = world.traders[0]
    assert trader.canary not in str(conflict(trader))
    with without_walls():
        fault = conflict(trader)
    assert trader.canary in str(fault)
    told = problems.document(problems.from_database(fault))
    assert told["code"] == "account_name_is_unique"
    assert not [secret for secret in trader.secrets if secret in str(told)]


def conflict(trader: Trader) -> IntegrityError:
    """What the database says to a second account of the same name."""
    with pytest.raises(IntegrityError) as caught, trader.person.inside():
        same = Account(user_id=trader.person.user_id, name=trader.canary, currency="USD")
        same.created_at = same.updated_at = now()
        same.save(force_insert=True)
    return caught.value


def test_nothing_in_valkey_holds_a_canary_but_its_own_tenants_cache(world: World) -> None:
    for trader in world.traders:
        with job(trader.person.tenant):
            cache.set(f"canary-{uuid4().hex}", trader.canary)
    for key, value in valkey.contents():
        for trader in world.traders:
            if trader.canary.encode() in key + value:
                assert key.startswith(f"tenant:{trader.person.tenant.id}:".encode())


def test_a_canary_in_a_task_would_be_seen() -> None:
    """Its message is packed twice."""
    canary = uuid4().hex
    queue = f"unread-{canary}"
    application.send_task("tests.nobody", [{"text": f"in {canary}"}], queue=queue)
    held = [value for key, value in valkey.contents() if key == queue.encode()]
    valkey.forget(queue)
    assert [canary.encode() in value for value in held] == [True]
