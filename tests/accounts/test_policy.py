"""The rules of membership, as tables."""

from __future__ import annotations

import pytest

from accounts.access.policy import (
    Change,
    Hand,
    Refusal,
    may_issue,
    may_revoke,
    refuse_change,
    refuse_removal,
)
from accounts.access.roles import MEMBERS, KeyScope, Role

OWNER, ADMIN, TRADER, VIEWER = MEMBERS
SUPPORT = Role.SUPPORT
ALL = frozenset(MEMBERS)
LESSER = frozenset({TRADER, VIEWER})
READ, TRADE, FULL = KeyScope.READ, KeyScope.TRADE, KeyScope.ADMIN


@pytest.mark.parametrize(
    ("role", "scope", "reach"),
    [
        (OWNER, None, ALL),
        (ADMIN, None, LESSER),
        (TRADER, None, frozenset()),
        (VIEWER, None, frozenset()),
        (SUPPORT, None, frozenset()),
        (OWNER, FULL, LESSER),  # no key makes or unmakes an owner
        (ADMIN, FULL, LESSER),
        (OWNER, TRADE, frozenset()),
        (OWNER, READ, frozenset()),
        (TRADER, FULL, frozenset()),
    ],
)
def test_who_reaches_whom(role: Role, scope: KeyScope | None, reach: frozenset[Role]) -> None:
    hand = Hand(role, scope)
    assert {target for target in MEMBERS if hand.reaches(target)} == reach


@pytest.mark.parametrize("by", MEMBERS)
@pytest.mark.parametrize("of", MEMBERS)
@pytest.mark.parametrize("to", MEMBERS)
def test_a_role_is_changed_by_who_reaches_both_ends(by: Role, of: Role, to: Role) -> None:
    change = Change(of=of, to=to, sees_tenant=None, is_own=False)
    may = by is OWNER or (by is ADMIN and {of, to} <= LESSER)
    assert refuse_change(Hand(by), change, owners=2) == (None if may else Refusal.OUT_OF_REACH)


@pytest.mark.parametrize("by", MEMBERS)
@pytest.mark.parametrize("to", [*MEMBERS, None])
def test_nobody_changes_their_own(by: Role, to: Role | None) -> None:
    change = Change(of=by, to=to, sees_tenant=None, is_own=True)
    assert refuse_change(Hand(by), change, owners=5) is Refusal.OWN_ROLE


@pytest.mark.parametrize(
    ("by", "of", "is_own", "may"),
    [
        (OWNER, OWNER, False, True),
        (OWNER, TRADER, False, True),
        (ADMIN, TRADER, False, True),
        (ADMIN, ADMIN, True, True),
        (ADMIN, ADMIN, False, False),
        (ADMIN, OWNER, False, False),
        (TRADER, TRADER, True, True),
        (TRADER, TRADER, False, False),
    ],
)
def test_keys_are_revoked_within_reach(by: Role, of: Role, is_own: bool, may: bool) -> None:
    assert may_revoke(Hand(by), of, is_own=is_own) is may


@pytest.mark.parametrize(
    ("by", "of", "to", "grant", "refusal"),
    [
        (OWNER, VIEWER, None, True, None),
        (OWNER, VIEWER, None, False, None),
        (OWNER, TRADER, VIEWER, True, None),
        (OWNER, VIEWER, TRADER, True, Refusal.NOT_A_VIEWER),
        (OWNER, TRADER, None, True, Refusal.NOT_A_VIEWER),
        (OWNER, TRADER, None, False, None),
        (ADMIN, VIEWER, None, True, Refusal.OUT_OF_REACH),
        (ADMIN, VIEWER, None, False, Refusal.OUT_OF_REACH),
    ],
)
def test_an_owner_grants_a_viewer_the_whole_tenant(
    by: Role, of: Role, to: Role | None, grant: bool, refusal: Refusal | None
) -> None:
    change = Change(of=of, to=to, sees_tenant=grant, is_own=False)
    assert refuse_change(Hand(by), change, owners=2) is refusal


@pytest.mark.parametrize(
    ("by", "of", "is_own", "owners", "refusal"),
    [
        (OWNER, OWNER, False, 2, None),
        (OWNER, OWNER, False, 1, Refusal.LAST_OWNER),
        (OWNER, OWNER, True, 2, None),
        (OWNER, OWNER, True, 1, Refusal.LAST_OWNER),
        (OWNER, ADMIN, False, 1, None),
        (OWNER, TRADER, False, 1, None),
        (ADMIN, OWNER, False, 2, Refusal.OUT_OF_REACH),
        (ADMIN, ADMIN, False, 1, Refusal.OUT_OF_REACH),
        (ADMIN, ADMIN, True, 1, None),
        (ADMIN, VIEWER, False, 1, None),
        (TRADER, VIEWER, False, 1, Refusal.OUT_OF_REACH),
        (TRADER, TRADER, True, 1, None),
        (VIEWER, VIEWER, True, 1, None),
    ],
)
def test_who_may_be_removed(
    by: Role, of: Role, is_own: bool, owners: int, refusal: Refusal | None
) -> None:
    assert refuse_removal(Hand(by), of, is_own=is_own, owners=owners) is refusal


@pytest.mark.parametrize("to", [ADMIN, TRADER, VIEWER])
def test_the_last_owner_stays_one(to: Role) -> None:
    change = Change(of=OWNER, to=to, sees_tenant=None, is_own=False)
    assert refuse_change(Hand(OWNER), change, owners=1) is Refusal.LAST_OWNER
    assert refuse_change(Hand(OWNER), change, owners=2) is None


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        (OWNER, {READ, TRADE, FULL}),
        (ADMIN, {READ, TRADE, FULL}),
        (TRADER, {READ, TRADE}),
        (VIEWER, {READ}),
    ],
)
def test_a_key_carries_no_more_than_its_person(role: Role, scopes: set[KeyScope]) -> None:
    assert {scope for scope in KeyScope if may_issue(role, scope)} == scopes
