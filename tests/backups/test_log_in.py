"""The backup's log-in: what it may call of all that could write, each with its reason."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from tenants.roles import APP, BACKUP, BACKUP_FUNCTIONS
from tests.isolation.database import connected

# PostgreSQL says of none of these that it writes nothing; so each is here for what it does.
READS = (
    "clock_timestamp timeofday random random_normal gen_random_uuid uuidv4 uuidv7 array_sample"
    " array_shuffle current_query currtid2 cursor_to_xml cursor_to_xmlschema amvalidate"
    " txid_status pg_available_wal_summaries pg_blocking_pids pg_collation_actual_version"
    " pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system"
    " pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn"
    " pg_database_collation_actual_version pg_get_loaded_modules pg_get_multixact_members"
    " pg_get_sequence_data pg_get_wait_events pg_get_wal_replay_pause_state"
    " pg_get_wal_resource_managers pg_get_wal_summarizer_state pg_is_in_recovery"
    " pg_is_wal_replay_paused pg_isolation_test_session_is_blocked pg_jit_available"
    " pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn"
    " pg_last_xact_replay_timestamp pg_ls_archive_statusdir pg_notification_queue_usage"
    " pg_partition_ancestors pg_partition_tree pg_prepared_xact pg_safe_snapshot_blocking_pids"
    " pg_sequence_last_value pg_tablespace_size pg_wal_summary_contents pg_xact_commit_timestamp"
    " pg_xact_commit_timestamp_origin pg_xact_status"
)
OF_ITS_SESSION = "setseed currval lastval pg_stat_clear_snapshot pg_stat_force_next_flush"
# They need one that `lo_open` has opened, and that is refused.
OF_A_LARGE_OBJECT = (
    "lo_close lo_lseek lo_lseek64 lo_tell lo_tell64 lo_truncate lo_truncate64 loread lowrite"
)
# By the server itself, which takes it for a word of CREATE FUNCTION or of an extension's script.
OF_NO_CALLER = "plpgsql_call_handler plpgsql_validator pg_extension_config_dump"
HANDS_WAL_OVER = "pg_switch_wal"
# These write, and ask who calls: `pg_upgrade`'s server, a superuser, or the owner of what it is. Of
# an index they ask first of what kind it is, and none of ours is of theirs.
_CLASS, _INDEX = "'pg_class'::regclass", "'public.trading_order_pkey'::regclass"
_STATISTICS = "'schemaname', 'public', 'relname', 'trading_order'"
REFUSED = {
    "binary_upgrade_add_sub_rel_state": "'x', 1::oid, 'r', '0/0'",
    "binary_upgrade_create_empty_extension": "'x', 'public', true, '1', NULL, NULL, NULL",
    "binary_upgrade_logical_slot_has_caught_up": "'x'",
    "binary_upgrade_replorigin_advance": "'x', '0/0'",
    "binary_upgrade_set_missing_value": "1::oid, 'x', 'x'",
    "binary_upgrade_set_next_array_pg_type_oid": "1::oid",
    "binary_upgrade_set_next_heap_pg_class_oid": "1::oid",
    "binary_upgrade_set_next_heap_relfilenode": "1::oid",
    "binary_upgrade_set_next_index_pg_class_oid": "1::oid",
    "binary_upgrade_set_next_index_relfilenode": "1::oid",
    "binary_upgrade_set_next_multirange_array_pg_type_oid": "1::oid",
    "binary_upgrade_set_next_multirange_pg_type_oid": "1::oid",
    "binary_upgrade_set_next_pg_authid_oid": "1::oid",
    "binary_upgrade_set_next_pg_enum_oid": "1::oid",
    "binary_upgrade_set_next_pg_tablespace_oid": "1::oid",
    "binary_upgrade_set_next_pg_type_oid": "1::oid",
    "binary_upgrade_set_next_toast_pg_class_oid": "1::oid",
    "binary_upgrade_set_next_toast_relfilenode": "1::oid",
    "binary_upgrade_set_record_init_privs": "true",
    "brin_desummarize_range": f"{_INDEX}, 0",
    "brin_summarize_new_values": _INDEX,
    "brin_summarize_range": f"{_INDEX}, 0",
    "gin_clean_pending_list": _INDEX,
    "nextval": "'public.django_migrations_id_seq'",
    "setval": "'public.django_migrations_id_seq', 1",
    "pg_clear_attribute_stats": "'public', 'trading_order', 'id', false",
    "pg_clear_relation_stats": "'public', 'trading_order'",
    "pg_restore_attribute_stats": f"{_STATISTICS}, 'attname', 'id', 'inherited', false",
    "pg_restore_relation_stats": f"{_STATISTICS}, 'relpages', 1",
    "pg_import_system_collations": "'public'::regnamespace",
    "pg_nextoid": f"{_CLASS}, 'oid', 'pg_class_oid_index'::regclass",
    "pg_stop_making_pinned_objects": "",
}
ALLOWED = {
    *f"{READS} {OF_ITS_SESSION} {OF_A_LARGE_OBJECT} {OF_NO_CALLER} {HANDS_WAL_OVER}".split(),
    *REFUSED,
}
# Of the catalogue: what can be called at all, and may do more than read.
_VOLATILE = """
SELECT DISTINCT proname::text FROM pg_catalog.pg_proc
 WHERE provolatile = 'v' AND has_function_privilege(%s, oid, 'EXECUTE')
   AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
   AND 'internal'::regtype <> ALL (proargtypes::oid[])
"""
_MORE_THAN = """
SELECT oid::regprocedure::text FROM pg_catalog.pg_proc
 WHERE oid < 16384
   AND has_function_privilege(%s, oid, 'EXECUTE') AND NOT has_function_privilege(%s, oid, 'EXECUTE')
"""


def test_each_function_that_may_write_is_here_for_a_reason() -> None:
    with connected("DATABASE_SUPERUSER_URL") as database:
        found = {name for (name,) in database.execute(_VOLATILE, [BACKUP]).fetchall()}
    assert found == ALLOWED


def test_it_may_call_what_the_application_may_and_what_it_uses() -> None:
    with connected("DATABASE_SUPERUSER_URL") as database:
        more = {name for (name,) in database.execute(_MORE_THAN, [BACKUP, APP]).fetchall()}
    assert {f"pg_catalog.{name}" for name in more} == set(BACKUP_FUNCTIONS)


@pytest.mark.parametrize("name", REFUSED)
def test_what_asks_who_calls_refuses_it(name: str) -> None:
    with connected("DATABASE_BACKUP_URL") as database, pytest.raises(psycopg.Error) as refused:
        database.execute(f"SELECT {name}({REFUSED[name]})".encode())
    assert refused.type in {
        InsufficientPrivilege,
        psycopg.errors.CantChangeRuntimeParam,
        psycopg.errors.WrongObjectType,
    }


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_open(1, 131072)",
        "SELECT pg_logical_emit_message(true, 'x', 'y')",
        "SELECT pg_create_physical_replication_slot('x', true)",
        "SELECT pg_create_logical_replication_slot('x', 'pgoutput')",
        "SELECT pg_drop_replication_slot('x')",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_notify('x', 'y')",
        "SELECT pg_terminate_backend(1)",
        "CREATE TABLE public.x ()",
        "CREATE TEMP TABLE x ()",
        "CREATE SCHEMA x",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "ALTER ROLE bulkhead_app SET work_mem = '1GB'",
    ],
)
def test_it_has_no_right_to_what_writes(statement: str) -> None:
    with connected("DATABASE_BACKUP_URL") as database, pytest.raises(InsufficientPrivilege):
        database.execute(statement.encode())


def test_lowrite_has_nothing_to_write_to() -> None:
    with (
        connected("DATABASE_BACKUP_URL") as database,
        pytest.raises(psycopg.errors.UndefinedObject),
    ):
        database.execute(b"SELECT lowrite(0, 'x')")


def test_a_slot_keeps_so_much_wal_and_no_more() -> None:
    """By the protocol of replication it may make one all the same."""
    with connected("DATABASE_SUPERUSER_URL") as database:
        (limit,) = database.execute(b"SHOW max_slot_wal_keep_size").fetchone() or ("",)
    assert limit == "1GB"
