"""Every cell of docs/permissions.md, tried over HTTP in both kinds of tenant."""

from __future__ import annotations

from uuid import uuid4

import pytest

from accounts.access.roles import MEMBERS
from tests.attacks import everybody, matrix
from tests.attacks.everybody import Everybody
from tests.attacks.matrix import FATAL, Expected, Operation, expected, operations, status
from tests.attacks.wire import Answer, call
from tests.web import Server

TIERS = ("starter", "enterprise")


@pytest.fixture(scope="module")
def cast(site: Server) -> dict[str, Everybody]:
    """Everybody, in both kinds of tenant."""
    return {tier: everybody.made(site, tier) for tier in TIERS}


def ask(site: Server, operation: Operation, credential: str) -> Answer:
    """The operation on objects that are not there, with nothing to say."""
    path = operation.path.replace("{id}", str(uuid4())).replace("{symbol}", "NO-SUCH")
    body = None if operation.method == "GET" else matrix.BODIES.get(operation.name, {})
    return call(site, operation.method, path, body, credential=credential)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.name)
def test_every_cell_is_as_the_code_says(
    site: Server, cast: dict[str, Everybody], operation: Operation, tier: str
) -> None:
    wanted, met = {}, {}
    for who, credential in cast[tier].credentials.items():
        wanted[who] = status(operation, who)
        ends = operation.name in FATAL and expected(operation, who) is Expected.ALLOWED
        by = everybody.throwaway(site, cast[tier].tenant, who) if ends else credential
        met[who] = ask(site, operation, by).status
    assert met == wanted
    assert list(met) == list(matrix.WHO)


@pytest.mark.parametrize(
    "operation", [o for o in operations() if o.is_step_up], ids=lambda operation: operation.name
)
def test_what_takes_a_fresh_proof_asks_for_it(
    site: Server, cast: dict[str, Everybody], operation: Operation
) -> None:
    for who in [role.value for role in MEMBERS]:
        if expected(operation, who) is Expected.ALLOWED:
            answer = ask(site, operation, cast["starter"].unproven(who))
            assert answer.told == (403, "step_up_needed"), who


def test_no_answer_is_kept_for_an_operation_that_is_gone() -> None:
    named = {operation.name for operation in operations()}
    assert set(matrix.ANSWERS) | set(matrix.BODIES) | set(FATAL) <= named


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
