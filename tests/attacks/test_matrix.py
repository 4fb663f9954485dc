"""Every cell of docs/permissions.md, tried over HTTP in both kinds of tenant."""

from __future__ import annotations

from uuid import uuid4

import pytest

from accounts.access.roles import Role
from tests.attacks import matrix
from tests.attacks.matrix import Expected, Operation, expected, operations
from tests.attacks.wire import call, stepped_up
from tests.cast import Person, build_person, build_tenant
from tests.web import Server

TIERS = ("starter", "enterprise")


@pytest.fixture(scope="module")
def credentials(site: Server) -> dict[tuple[str, str], str]:
    """The `Authorization` of everybody in both tenants; none of anonymous."""
    return {
        (tier, who): credential
        for tier in TIERS
        for who, credential in _everybody(site, tier).items()
    }


def _everybody(site: Server, tier: str) -> dict[str, str]:
    tenant = build_tenant(tier)
    people = {
        role.value: build_person(tenant, role.value, role)
        for role in Role
        if role is not Role.SUPPORT
    }
    by = {name: stepped_up(person) for name, person in people.items()}
    staff = Person("staff", people["owner"].user_id, "", tenant, Role.SUPPORT)
    keys = {f"key:{scope}": _key(site, by["owner"], scope) for scope in ("read", "trade", "admin")}
    return {"anonymous": "", **by, Role.SUPPORT.value: stepped_up(staff), **keys}


def _key(site: Server, owner: str, scope: str) -> str:
    made = call(site, "POST", "api-keys/", {"name": scope, "scope": scope}, credential=owner)
    assert made.status == 201, made.text
    return f"Api-Key {made.json()['key']}"


# What ends the session, or the membership, that all the others are tried with.
FATAL = ("POST auth/logout/", "DELETE auth/sessions/", "DELETE auth/membership/")
# What tells the right person with wrong words from the wrong person: an empty one gets a 401 too.
BODIES = {"POST auth/step-up/": {"password": []}}


def let_in(status: int) -> Expected:
    if status in (401, 403):
        return Expected(str(status))
    assert status < 500
    return Expected.ALLOWED


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.name)
def test_every_cell_is_as_the_code_says(
    site: Server, credentials: dict[tuple[str, str], str], operation: Operation, tier: str
) -> None:
    wanted, met = {}, {}
    for who in matrix.WHO:
        promised = expected(operation, who)
        if operation.name in FATAL and promised is Expected.ALLOWED:
            continue  # tests/attacks/test_log_in.py, tests/accounts/test_members.py
        path = operation.path.replace("{id}", str(uuid4())).replace("{symbol}", "NO-SUCH")
        body = None if operation.method == "GET" else BODIES.get(operation.name, {})
        answer = call(site, operation.method, path, body, credential=credentials[tier, who])
        wanted[who], met[who] = promised, let_in(answer.status)
        if promised is Expected.OPEN:  # refused, if at all, for what it was sent
            met[who] = Expected.OPEN if answer.status < 500 else met[who]
    assert met == wanted


def test_no_operation_is_left_out() -> None:
    assert len(operations()) > 50
    assert not [o.name for o in operations() if "(" in o.path or "<" in o.path]


def test_what_is_open_to_nobody_in_particular_is_a_short_list() -> None:
    assert {o.name for o in operations() if expected(o, "anonymous") is Expected.OPEN} == {
        "POST auth/invitations/accept/",
        "POST auth/login/",
        "POST auth/password/reset/",
        "POST auth/password/reset/confirm/",
        "POST auth/refresh/",
        "POST auth/signup/",
        "GET docs/",
        "GET schema/",
    }


def test_a_viewer_and_support_write_nothing_outside_their_own_account() -> None:
    for operation in operations():
        if operation.method == "GET" or operation.path.startswith("auth/"):
            continue
        for who in ("viewer", "support", "key:read"):
            assert expected(operation, who) is Expected.FORBIDDEN, operation.name


def test_the_page_is_what_the_code_gives() -> None:
    """`python -m tests.attacks.matrix` writes it again."""
    assert matrix.PAGE.read_text() == matrix.page()
