"""What all sessions of a server start with, whoever they are of."""

from __future__ import annotations

import json

from tests.isolation.database import connected
from tests.tenants.catalogue.scratch import Scratch

_NAME = "session_replication_role"


def gaps(scratch: Scratch) -> list[tuple[str, str]]:
    """Code and object of each, as sessions that begin now find them."""
    told = json.loads(scratch.manage("check_isolation", "--json").stdout)
    return [(gap["code"], gap["object"]) for gap in told["gaps"]]


def test_a_server_whose_sessions_pass_rules_over_is_a_gap(scratch: Scratch) -> None:
    with connected("DATABASE_SUPERUSER_URL") as server:
        server.autocommit = True
        server.execute(f"ALTER SYSTEM SET {_NAME} = replica".encode())
        server.execute(b"SELECT pg_reload_conf()")
        found = gaps(scratch)
        server.execute(f"ALTER SYSTEM RESET {_NAME}".encode())
        server.execute(b"SELECT pg_reload_conf()")
    assert found == [("server_setting", _NAME)]
    assert gaps(scratch) == []
