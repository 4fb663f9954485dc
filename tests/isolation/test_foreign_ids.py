"""Every body that names a row by its id, with a stranger's: as unknown as an id of nobody's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tenants.ownership import UserOwned, tenant_models
from tests.accounts.doors import call, stepped_up
from tests.cast import Person
from tests.guards.routes import api_routes
from tests.isolation.database import connected, without_walls
from tests.isolation.surface import description, parameters, resolved
from tests.isolation.world import Trader, World, build_world

METHODS = ("post", "put", "patch", "delete")
# What else has to be in a body, so that only the id is wrong; `{symbol}` is the market's.
_ORDER = {"instrument": "{symbol}", "side": "buy", "type": "market", "quantity": "1"}
BODIES: dict[str, dict[str, str]] = {
    "post orders/": _ORDER,
    "post orders/preview/": _ORDER,
    "post orders/cancel-all/": {},
    "post portfolios/": {"name": "{new}", "initial_capital": "1"},
    "patch portfolios/{id}/": {},
    "post api-keys/": {"name": "{new}", "scope": "read"},
}
# Bodies with an id that is of no tenant's row, each with its reason.
OUTSIDE = {"post auth/password/reset/confirm/": "a person's, beside a token signed for them alone"}
# These look for the rows of the one person besides, whatever the walls let through.
BY_PERSON = ("post orders/cancel-all/", "post portfolios/", "patch portfolios/{id}/")


@dataclass(frozen=True)
class Naming:
    """A field of an operation's body that takes an id, or several."""

    method: str
    path: str  # below /api/v1/
    field: str
    is_list: bool

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def body(self, named: str, world: World) -> dict[str, Any]:
        given = {"{symbol}": world.market.symbol, "{new}": uuid4().hex}
        rest = {key: given.get(value, value) for key, value in BODIES[self.name].items()}
        return {**rest, self.field: [named] if self.is_list else named}


def namings() -> Iterator[Naming]:
    for path, operations in description()["paths"].items():
        for method in METHODS:
            body = operations.get(method, {}).get("requestBody")
            for field, is_list in _ids(body["content"]["application/json"]) if body else ():
                yield Naming(method, path.removeprefix("/api/v1/"), field, is_list)


def _ids(content: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    for name, schema in resolved(content["schema"]).get("properties", {}).items():
        found = resolved(schema)
        if "uuid" in (found.get("format"), resolved(found.get("items", {})).get("format")):
            yield name, "items" in found


KNOWN = list(namings())
NAMINGS = [naming for naming in KNOWN if naming.name not in OUTSIDE]
WALLED = [naming for naming in NAMINGS if naming.name not in BY_PERSON]
EVERY = pytest.mark.parametrize(
    "naming", NAMINGS, ids=lambda naming: f"{naming.name} {naming.field}"
)


def ask(naming: Naming, asker: Trader, named: str, world: World) -> tuple[int, Any]:
    """Status and document, but for what differs from request to request."""
    path = naming.path.format(id=asker.ids["NamedPortfolio"])
    body = naming.body(named, world)
    answer = call(naming.method, path, body, credential=stepped_up(asker.person))
    said = answer.json()
    if isinstance(said, dict):
        said.pop("request_id", None)
    return answer.status_code, said


def strangers(world: World) -> Iterator[tuple[Trader, Trader]]:
    """Colleagues, and people of other tenants on the same tier and the other, both ways."""
    for owner in (0, 3):
        for asker in {0, 1, 2, 3, 5} - {owner}:
            yield world.traders[owner], world.traders[asker]


def rows_of(owner: Trader) -> dict[str, str]:
    """All that somebody owns, digested, by table."""
    found = {}
    with connected("DATABASE_SUPERUSER_URL") as database:
        for model in tenant_models():
            if issubclass(model, UserOwned):
                table = f'"{owner.person.tenant.live_schema}".{model._meta.db_table}'
                query = f"SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM {table} t"
                where = " WHERE user_id = %s"
                [row] = database.execute((query + where).encode(), [owner.person.user_id])
                found[model.__name__] = row[0]
    return found


def test_every_body_that_names_an_id_is_known_here() -> None:
    assert {naming.name for naming in KNOWN} == {*BODIES, *OUTSIDE}


@EVERY
def test_a_strangers_id_is_as_unknown_as_nobodys(written: World, naming: Naming) -> None:
    """Whatever it is the id of: an account, an order, a position, a portfolio, a key."""
    for owner, asker in strangers(written):
        before = rows_of(owner)
        nobodys = ask(naming, asker, str(uuid4()), written)
        for kind, named in owner.ids.items():
            answer = ask(naming, asker, named, written)
            assert answer == nobodys, kind
            assert not [secret for secret in owner.secrets if secret in str(answer)]
        assert rows_of(owner) == before


@EVERY
def test_ones_own_id_is_known(written: World, naming: Naming) -> None:
    """Otherwise a body that is refused for another reason would pass for a wall."""
    for asker in (written.traders[0], written.traders[3]):
        nobodys = ask(naming, asker, str(uuid4()), written)
        status, said = ask(naming, asker, asker.ids["Account"], written)
        assert status in (200, 201), said
        assert (status, said) != nobodys


@pytest.fixture(scope="module")
def fallen() -> World:
    """A world in which is done what should not be."""
    return build_world()


@pytest.mark.parametrize("naming", WALLED, ids=lambda naming: f"{naming.name} {naming.field}")
def test_without_walls_a_strangers_id_is_known(fallen: World, naming: Naming) -> None:
    """The mutation: Bob's answers tell him of Alice's account."""
    alice, bob = fallen.traders[:2]
    with without_walls():
        nobodys = ask(naming, bob, str(uuid4()), fallen)
        assert ask(naming, bob, alice.ids["Account"], fallen) != nobodys


def test_every_parameter_of_a_path_is_tried_with_a_strangers_value() -> None:
    """Keys of rows in `test_strangers`, sessions below; symbols are the market's."""
    others = [route for route in api_routes() if not route.is_detail]
    assert {name for route in others for name in parameters(route)} == {"session_id", "symbol"}


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (3, 4), (3, 5), (0, 3)])
def test_nobody_ends_a_strangers_session(written: World, pair: tuple[int, int]) -> None:
    owner, stranger = (written.traders[place] for place in pair)
    path, credential = "auth/sessions/{}/", stepped_up(stranger.person)
    theirs = call("DELETE", path.format(owner.ids["SignedIn"]), credential=credential)
    nobodys = call("DELETE", path.format(uuid4()), credential=credential)
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json()["code"] == nobodys.json()["code"]
    assert owner.ids["SignedIn"] in sessions(owner.person)


def sessions(person: Person) -> str:
    answer = call("GET", "auth/sessions/", credential=stepped_up(person))
    return str(answer.content.decode())
