"""What the inspection sends an operator to `provision_roles` for, that command mends."""

from __future__ import annotations

import pytest

from tenants.catalogue import inspection
from tenants.lifecycle import role_provisioning
from tenants.lifecycle.role_provisioning import Passwords
from tenants.roles import OWNER
from tests.tenants.catalogue.scratch import Scratch, alone


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER ROLE bulkhead_mover LOGIN INHERIT",
        "ALTER ROLE bulkhead_backup NOBYPASSRLS",
        "GRANT bulkhead_mover TO bulkhead_owner WITH ADMIN TRUE, INHERIT TRUE, SET FALSE",
        "GRANT pg_read_all_data TO bulkhead_backup WITH ADMIN TRUE, INHERIT FALSE",
        "REVOKE bulkhead_mover FROM bulkhead_owner",
        "GRANT bulkhead_owner TO bulkhead_app",
        # As a release of before had it.
        "GRANT EXECUTE ON FUNCTION lo_from_bytea(oid, bytea), pg_advisory_lock(bigint),"
        " pg_stat_get_activity(integer) TO bulkhead_backup",
        "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO bulkhead_backup WITH GRANT OPTION",
        "REVOKE EXECUTE ON FUNCTION pg_switch_wal(), pg_stat_get_archiver() FROM bulkhead_backup",
    ],
)
def test_roles_are_brought_to_what_the_code_says(scratch: Scratch, sql: str) -> None:
    with alone(), scratch.connection.cursor() as cursor:
        try:
            cursor.execute(sql)
            role_provisioning.bring(scratch.connection, Passwords({}))
            cursor.execute(f"SET LOCAL ROLE {OWNER}")
            assert inspection.gaps(cursor) == []
        finally:
            scratch.connection.rollback()
