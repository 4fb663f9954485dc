"""Every public action of the house is on the record, or says why not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("accounts", "backups", "tenants", "trading")
# Modules whose `record` writes a trail.
WRITERS = {"accounts.audit.actions", "accounts.trail.actions", "tenants.trail"}
# Public functions of `actions.py` that record nothing, each with its reason.
SILENT = {
    "accounts.mfa.actions.check": "a step of a log-in, which is recorded",
    "accounts.mfa.actions.has_authenticator": "answers, and changes nothing",
    "accounts.passwords.actions.ask_for_reset": "has a mail sent; what the mail leads to counts",
    "accounts.users.actions.authenticate": "answers, and changes nothing",
    "accounts.users.actions.ensure": "a step of making a tenant or a member, which is recorded",
    "trading.brokers.actions.acting_user": "answers who acts, and changes nothing",
    "trading.brokers.actions.balance_of": "a step inside an action; takes a lock",
    "trading.brokers.actions.lock": "a step inside an action; takes a lock",
    "trading.brokers.actions.move": "a step inside an action, which is recorded",
    "trading.idempotency.actions.once": "keeps an answer; what it answers is recorded",
    "trading.market.actions.ensure_instrument": "market data, the same for all",
    "trading.market.actions.load": "market data, the same for all",
    "trading.orders.actions.end": "a step inside cancel, expire and matching",
    "trading.orders.actions.release": "a step inside an action, which is recorded",
    "trading.positions.actions.apply": "a step of a fill, which is a record itself",
    "trading.positions.actions.lock_quantity": "a step of an order, which is recorded",
    "trading.positions.actions.unlock": "a step of an order, which is recorded",
}


def modules() -> Iterator[Path]:
    for floor in FLOORS:
        yield from sorted((ROOT / floor).rglob("actions.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def writers_in(tree: ast.Module) -> set[str]:
    """The names by which the module knows a trail's module."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if f"{node.module}.{alias.name}" in WRITERS
    }


def calls_of(function: ast.FunctionDef, writers: set[str]) -> set[str]:
    """Functions of the same module that it calls; `record` where it writes a trail."""
    called = {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
    return called | ({"record"} if called & {f"{name}.record" for name in writers} else set())


def silent_in(text: str) -> set[str]:
    """The public functions of a module that lead to no record."""
    tree = ast.parse(text)
    writers = writers_in(tree)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    calls = {name: calls_of(function, writers) for name, function in functions.items()}
    heard = {"record"}
    while grown := {name for name, called in calls.items() if called & heard} - heard:
        heard |= grown
    return {name for name in functions if not name.startswith("_")} - heard


def silent(path: Path) -> set[str]:
    return {f"{name_of(path)}.{name}" for name in silent_in(path.read_text())}


@pytest.mark.parametrize("path", list(modules()), ids=name_of)
def test_every_public_action_is_recorded_or_says_why_not(path: Path) -> None:
    if name_of(path) not in WRITERS:
        assert silent(path) <= set(SILENT)


def test_no_reason_for_silence_is_stale() -> None:
    found = {name for path in modules() if name_of(path) not in WRITERS for name in silent(path)}
    assert set(SILENT) <= found


def test_the_guard_hears_a_record_through_a_function_of_the_module() -> None:
    text = """
from accounts.audit import actions as audit
def place(): _end()
def _end(): audit.record("x")
def quiet(): _lock()
def elsewhere(): other.record("x")
def _lock(): ...
"""
    assert silent_in(text) == {"quiet", "elsewhere"}
