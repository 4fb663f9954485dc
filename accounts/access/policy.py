"""Who may make, change and remove whom: the rules of membership, as tables. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from accounts.access.roles import MEMBERS, KeyScope, Permission, Role, allows

# Which members a permission puts within reach, before a change and after it.
REACH: dict[Permission, frozenset[Role]] = {
    Permission.MANAGE_MEMBERS: frozenset({Role.TRADER, Role.VIEWER}),
    Permission.MANAGE_OWNERS: frozenset({Role.OWNER, Role.ADMIN}),
}
# What a role must hold before its person may issue a key that carries it.
ISSUES: dict[KeyScope, Permission] = {
    KeyScope.READ: Permission.READ_TRADING,
    KeyScope.TRADE: Permission.TRADE,
    KeyScope.ADMIN: Permission.MANAGE_MEMBERS,
}


class Refusal(StrEnum):
    """Why a change of a membership is not made."""

    OUT_OF_REACH = "role_out_of_reach"
    OWN_ROLE = "own_role"
    LAST_OWNER = "last_owner"
    NOT_A_VIEWER = "not_a_viewer"


@dataclass(frozen=True, slots=True)
class Hand:
    """Who reaches out: a role of today, and the scope of the API key if one is used."""

    role: Role
    key_scope: KeyScope | None = None

    def reaches(self, *roles: Role) -> bool:
        """Whether members of all these roles are this hand's to make, change or remove."""
        held = {p for p in REACH if allows(self.role, p, self.key_scope)}
        return all(any(role in REACH[p] for p in held) for role in roles)


def within_reach(hand: Hand | None) -> frozenset[Role]:
    """The roles that a hand can give; none for somebody who is no member."""
    return frozenset(role for role in MEMBERS if hand is not None and hand.reaches(role))


@dataclass(frozen=True, slots=True)
class Change:
    """Of one membership; `to` and `sees_tenant` are None for what stays as it is."""

    of: Role
    to: Role | None
    sees_tenant: bool | None
    is_own: bool


def takes_proof(*, role: Role | None, sees_tenant: bool | None = None) -> bool:
    """Whether a role or a grant lets somebody so far in that a found token must not give it."""
    return bool(sees_tenant) or role in REACH[Permission.MANAGE_OWNERS]


def refuse_change(hand: Hand, change: Change, *, owners: int) -> Refusal | None:
    """Why not; None if it may be. `owners` counts before it those who can still sign in."""
    after = change.to or change.of
    if change.is_own:
        return Refusal.OWN_ROLE
    if not hand.reaches(change.of, after):
        return Refusal.OUT_OF_REACH
    if change.sees_tenant is not None and not hand.reaches(Role.OWNER):
        return Refusal.OUT_OF_REACH
    if change.sees_tenant and after is not Role.VIEWER:
        return Refusal.NOT_A_VIEWER
    if change.of is Role.OWNER and after is not Role.OWNER and owners <= 1:
        return Refusal.LAST_OWNER
    return None


def refuse_removal(hand: Hand, of: Role, *, is_own: bool, owners: int) -> Refusal | None:
    """Why not; None if it may be. Anyone may leave, but for the last owner."""
    if not (is_own or hand.reaches(of)):
        return Refusal.OUT_OF_REACH
    if of is Role.OWNER and owners <= 1:
        return Refusal.LAST_OWNER
    return None


def may_revoke(hand: Hand, of: Role, *, is_own: bool) -> bool:
    """Whether somebody's key is this hand's to end; `of` is that person's role."""
    return is_own or hand.reaches(of)


def may_issue(role: Role, scope: KeyScope) -> bool:
    """Whether a person of this role may have a key that carries this much."""
    return allows(role, ISSUES[scope])
