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
    "accounts.emails.actions.announce": "has a mail sent; what the mail leads to counts",
    "accounts.emails.actions.announce_again": "has a mail sent; what the mail leads to counts",
    "accounts.mfa.actions.has_authenticator": "answers, and changes nothing",
    "accounts.members.invitations.offered_to_owner": "answers, and changes nothing",
    "accounts.onboarding.actions.create_tenant_for": "its parts record what they do",
    "accounts.passwords.actions.ask_for_reset": "has a mail sent; what the mail leads to counts",
    "accounts.sessions.actions.note_second_factor": "notes what `accounts.mfa.actions` records",
    "accounts.login.actions.refresh": "a session goes on; that it ends is recorded",
    "accounts.staff.actions.delete_tenant": "asks for the deletion, which is recorded",
    "accounts.staff.actions.know": "answers, and changes nothing",
    "accounts.users.actions.authenticate": "answers, and changes nothing",
    "accounts.users.actions.ensure": "a step of making a tenant or a member, which is recorded",
    "accounts.users.actions.remember": "a step of a restore, which records whom",
    "tenants.measuring.actions.measure": "counts what is there, and changes nothing of it",
    "tenants.measuring.actions.measure_again": "counts what is there, and changes nothing of it",
    "tenants.lifecycle.actions.create_tenant": "its parts record what they do",
    "tenants.lifecycle.actions.unfinished": "answers, and changes nothing",
    "tenants.lifecycle.making.make_schema": "a step of making a tenant, which is recorded",
    "tenants.lifecycle.making.schema_of": "a step of making a tenant, which is recorded",
    "tenants.moving.actions.ask_to_give_up": "the giving up is recorded, by who asked for it here",
    "tenants.moving.actions.try_again": "lets what is recorded be tried as often once more",
    "backups.platform.actions.of_instant": "takes a backup, which is recorded",
    "backups.platform.actions.ship": "brings what is kept anyway, every minute",
    "backups.platform.actions.ship_all": "brings what is kept anyway",
    "backups.restoring.carry_out": "is recorded by what comes after it, `settling`",
    "backups.restoring.compare": "reads and tells, and changes nothing",
    "backups.restoring.restore": "is recorded by what comes after it, `settling`",
    "backups.restoring.restore_into": "is recorded by what comes after it, `settling`",
    "trading.brokers.actions.acting_user": "answers who acts, and changes nothing",
    "trading.brokers.actions.bound_account": "answers, and changes nothing",
    "trading.brokers.actions.balance_of": "a step inside an action; takes a lock",
    "trading.brokers.actions.flow": "notes a flow of money; what made it flow is recorded",
    "trading.brokers.actions.lock": "a step inside an action; takes a lock",
    "trading.brokers.actions.lock_in_order": "a step inside an action; takes locks",
    "trading.brokers.actions.lock_open": "a step inside an action; takes a lock",
    "trading.brokers.actions.lock_paper": "a step inside an action; takes a lock",
    "trading.brokers.actions.move": "a step inside an action, which is recorded",
    "trading.brokers.actions.note_caught_up": "notes how far it has met prices; fills are records",
    "trading.brokers.credentials.of": "opens the keys for a call; the call is recorded",
    "trading.idempotency.actions.once": "keeps an answer; what it answers is recorded",
    "trading.market.actions.ensure_instrument": "market data, the same for all",
    "trading.market.actions.load": "market data, the same for all",
    "trading.market.actions.load_ticks": "market data, the same for all",
    "trading.market.actions.note_book": "market data, the same for all",
    "trading.market.actions.note_matched": "market data, the same for all",
    "trading.market.actions.put": "market data, the same for all",
    "trading.notifications.actions.append": "events tell of what is recorded itself",
    "trading.notifications.actions.mark_all_read": "what somebody has seen of their own events",
    "trading.notifications.actions.mark_read": "what somebody has seen of their own events",
    "trading.notifications.actions.trim": "housekeeping of events, which tell of records",
    "trading.portfolio.actions.sample": "a sample of what facts come to, which are records",
    "trading.portfolio.actions.sample_fact": "a sample of what facts come to, which are records",
    "trading.portfolio.actions.thin": "housekeeping of samples",
    "trading.position_orders.actions.add_funds": "places an order, which is recorded",
    "trading.position_orders.actions.cancel_limit": "cancels an order, which is recorded",
    "trading.position_orders.actions.cancel_limits": "cancels orders, which are recorded",
    "trading.position_orders.actions.change_limit": "replaces an order, which is recorded",
    "trading.position_orders.actions.close": "places an order and notes it, both recorded",
    "trading.position_orders.actions.place_limit": "places an order, which is recorded",
    "trading.positions.actions.apply": "a step of a fill, which is a record itself",
    "trading.positions.actions.free_quantity": "answers, and changes nothing",
    "trading.positions.actions.lock_quantity": "a step of an order, which is recorded",
    "trading.positions.actions.unlock": "a step of an order, which is recorded",
}
# Modules that write rows and are not called `actions.py`, each with its reason; those of the first
# list are held to the same rule.
RECORDED = {
    "accounts.members.invitations": "the actions about invitations, apart from those about members",
    "tenants.lifecycle.making": "the steps of making a tenant",
    "backups.asking": "the actions inside a tenant, apart from those on the platform",
    "backups.lending": "the actions about lent keys, apart from those that take backups",
    "backups.recalling": "the action that reads the catalogue back",
    "backups.restoring": "the actions that put a backup back",
    "backups.verifying": "the action that tries a backup",
    "tenants.lifecycle.emergency": "the emergency lock's own actions",
    "tenants.lifecycle.plans": "the staff's actions about plans",
    "trading.brokers.credentials": "the actions about an account's keys",
    "trading.brokers.accounts": "the actions about accounts, apart from those about their money",
    "trading.brokers.preferences": "the actions about limits and auto-buy",
}
WRITES_ELSEWHERE = {
    "accounts.departure.steps": "steps of a deletion, which is recorded",
    "backups.progress": "how far a restore is, which is recorded",
    "tenants.lifecycle.founding": "steps of making a tenant of a backup, which is recorded",
    "accounts.login.issuing": "steps of a log-in, which is recorded",
    "accounts.login.refreshing": "a session goes on; its end is recorded",
    "accounts.members.newcomers": "a step of joining and of signing up, which are recorded",
    "accounts.sealing": "a secret under another key is the same secret",
    "accounts.sessions.ending": "a step of what ends sessions, which is recorded",
    "accounts.tokens.keys": "notes when a key was last used",
    "backups.archive.manifest": "a digest of what passes, no rows",
    "backups.archive.streams": "a digest of what passes, no rows",
    "backups.takeout.opened": "a digest of what passes, no rows",
    "trading.orders.endings": "steps inside actions and matching, which are recorded",
    "trading.orders.executed": "fills, which are a record themselves",
    "trading.orders.execution": "what comes of matching: fills, which are a record themselves",
    "trading.orders.fills": "fills, which are a record themselves",
    "trading.orders.limits": "marks to measure losses from; what they halt is recorded",
    "trading.orders.outbox": "intents of orders, which are recorded where they are placed",
    "trading.venues.booking": "fills, which are a record themselves; ends and money are recorded",
    "trading.venues.intents": "the state of a call; what it comes to is recorded",
    "trading.venues.reconciliation": "reports, which are a record themselves",
    "tenants.deletion.steps": "steps of a deletion, which is recorded",
    "tenants.returning": "when a tenant's work goes on; its resume or restore is recorded",
    "tenants.lifecycle.workflow": "how far work on a tenant has come; the work is recorded",
    "tenants.cache": "values in Valkey, no rows",
}
VALKEY = ("client", "pipeline")  # by these names it is called
VERBS = {
    "save",
    "create",
    "bulk_create",
    "update",
    "bulk_update",
    "delete",
    "get_or_create",
    "update_or_create",
}
# No part of the product at work: they build, or are called by hand and make one call.
BESIDE = ("migrations", "commands", "demo.py")


def product() -> Iterator[Path]:
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            if not set(BESIDE) & set(path.relative_to(ROOT).parts):
                yield path


def modules() -> Iterator[Path]:
    """Those whose public functions are on the record."""
    for path in product():
        if path.name == "actions.py" or name_of(path) in RECORDED:
            yield path


def writes(text: str) -> bool:
    """Whether a module calls what changes rows, on whatever it may be."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in VERBS
        and ast.unparse(node.func.value) not in VALKEY
        for node in ast.walk(ast.parse(text))
    )


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


def test_rows_are_written_in_actions_or_where_it_says_why() -> None:
    """Both ways: a reason for a module that writes nothing any more fails too."""
    found = {name_of(path) for path in product() if writes(path.read_text())}
    actions = {name for name in found if name.endswith(".actions")}
    assert found - actions == {*RECORDED, *WRITES_ELSEWHERE}


def test_the_guard_sees_a_write_by_any_hand() -> None:
    assert writes("Order.objects.filter(pk=1).update(status='x')")
    assert writes("def f(rows):\n    return [row.save() for row in rows]")
    assert not writes("client.delete(key)")
    assert not writes("state = {}\nprint(update(state), create)")


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
