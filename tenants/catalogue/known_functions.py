"""The functions the platform brings, with their bodies and who may call them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from tenants import entry
from tenants.roles import APP, BACKUP


@dataclass(frozen=True, slots=True)
class Function:
    """A function as `pg_proc` should have it; `volatility` in the letter used there."""

    signature: str
    body: str
    definer: bool
    volatility: str
    callers: tuple[str, ...]


def _body(statements: str) -> str:
    """What stands between the dollar quotes; PostgreSQL keeps it to the letter."""
    return statements.split("$body$")[1]


_ENTER, *_PROVEN = entry.DEFINERS
FUNCTIONS = (
    Function(_ENTER, _body(entry.ENTER_TENANT), definer=True, volatility="v", callers=(APP,)),
    *(
        Function(signature, _body(text), definer=True, volatility="s", callers=(APP, BACKUP))
        for signature, text in zip(_PROVEN, entry.PROVEN, strict=True)
    ),
    Function(
        "public.refuse_change()",
        _body(entry.REFUSE_CHANGE),
        definer=False,
        volatility="v",
        callers=(),
    ),
)


def rows() -> Iterator[dict[str, Any]]:
    """The functions for the queries."""
    return (asdict(function) for function in FUNCTIONS)
