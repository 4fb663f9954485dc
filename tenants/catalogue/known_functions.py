"""The functions the platform brings, with their bodies and who may call them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.apps import apps

from tenants import entry
from tenants.catalogue.brought import Brought, Function, body_of, trigger_function
from tenants.roles import APP, BACKUP

_ENTER, *_PROVEN, _NOTE = entry.DEFINERS
FUNCTIONS = (
    Function(_ENTER, body_of(entry.ENTER_TENANT), definer=True, volatility="v", callers=(APP,)),
    *(
        Function(signature, body_of(text), definer=True, volatility="s", callers=(APP, BACKUP))
        for signature, text in zip(_PROVEN, entry.PROVEN, strict=True)
    ),
    Function(
        _NOTE,
        body_of(entry.NOTE_CHANGE),
        definer=True,
        volatility="v",
        callers=(),
        on_a_shard="would note the part's name for the table's: the trigger has to tell it that",
    ),
    trigger_function(
        "public.refuse_change()", entry.REFUSE_CHANGE, on_a_shard="looks at nothing but its row"
    ),
)


def rows() -> Iterator[dict[str, Any]]:
    """The functions for the queries: the ground floor's, and those of the apps."""
    return (asdict(function) for function in _all())


def explained() -> list[str]:
    """Those of which somebody has said what they would do on a shard, as `regprocedure` prints them
    where `pg_catalog` alone is searched."""
    return [function.signature for function in _all() if function.on_a_shard]


def shared_triggers() -> dict[str, str]:
    """By shared table: the statement that makes the trigger an app brings for it."""
    return {
        table: statement
        for things in _brought()
        for table, statement in things.shared_triggers.items()
    }


def _all() -> Iterator[Function]:
    yield from FUNCTIONS
    for things in _brought():
        yield from things.functions


def _brought() -> Iterator[Brought]:
    for app in apps.get_app_configs():
        things = getattr(app, "brings", None)
        if things is not None:
            yield things
