"""What the API can be asked, read off its routes and its description."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from tests.guards.routes import Route, api_routes
from tests.isolation.world import Trader, World

# A parameter of a path, as a regular expression or by a converter.
_PARAMETER = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)|<(?:\w+:)?(\w+)>")
# What a page takes besides values that it names itself.
_VALUES = {"date-time": "2024-01-01T00:00:00Z"}


def read() -> list[Route]:
    """Every route that answers GET."""
    return [route for route in api_routes() if route.answers("get")]


def path_of(route: Route, values: dict[str, str]) -> str:
    """Raises KeyError for a parameter that nobody has said a value of."""
    return _PARAMETER.sub(lambda match: values[match[1] or match[2]], route.name).rstrip("$")


def parameters(route: Route) -> list[str]:
    return [match[1] or match[2] for match in _PARAMETER.finditer(route.name)]


def values_for(route: Route, trader: Trader, world: World) -> dict[str, str]:
    """The parameters of a path, by rows of the trader's own."""
    model = getattr(route.view, "model", None)
    own = {"pk": trader.ids[model.__name__]} if model else {}
    return {
        **own,
        "symbol": world.market.symbol.replace("/", "-"),
        "order_id": trader.ids["LimitOrder"],
        "session_id": trader.ids["SignedIn"],
    }


def pages(route: Route, trader: Trader, world: World) -> list[str]:
    """The page of a trader's own rows: as it is, and with each value that a parameter names."""
    path = path_of(route, values_for(route, trader, world))
    asked = description()["paths"].get(f"/{_template(route)}", {}).get("get", {})
    return [f"{path}?{query}" for query in ("", *_queries(asked.get("parameters", [])))]


def _queries(taken: list[dict[str, Any]]) -> Iterator[str]:
    """One parameter at a time, beside those that have to be there."""
    queries = {q["name"]: (q, resolved(q["schema"])) for q in taken if q["in"] == "query"}
    needed = [
        f"{name}={_VALUES[schema['format']]}"
        for name, (query, schema) in queries.items()
        if query.get("required")
    ]
    if needed:
        yield "&".join(needed)
    for name, (_, schema) in queries.items():
        for value in schema.get("enum", ()):
            yield "&".join([*needed, f"{name}={value}"])


def _template(route: Route) -> str:
    """As the description writes it, where the key of a row is its `id`."""
    names = {"pk": "id"}
    return _PARAMETER.sub(
        lambda m: f"{{{names.get(m[1] or m[2], m[1] or m[2])}}}", route.name
    ).rstrip("$")


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema of the description without its references."""
    if "$ref" in schema:
        named = schema["$ref"].rpartition("/")[2]
        return resolved(description()["components"]["schemas"][named])
    parts = [resolved(part) for word in ("allOf", "oneOf") for part in schema.get(word, ())]
    together = dict(schema)
    for part in parts:
        together |= part
    return together


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return document
