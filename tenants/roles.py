"""The database roles, and what each may never do."""

from __future__ import annotations

from dataclasses import dataclass

OWNER = "bulkhead_owner"
APP = "bulkhead_app"
BACKUP = "bulkhead_backup"
MOVER = "bulkhead_mover"


@dataclass(frozen=True, slots=True)
class Role:
    """A role: its attributes, and settings every session of it starts with."""

    name: str
    attributes: str
    settings: tuple[tuple[str, str], ...] = ()
    can_log_in: bool = True

    @property
    def words(self) -> list[str]:
        """Every attribute, as CREATE ROLE takes it."""
        return ["LOGIN" if self.can_log_in else "NOLOGIN", "NOINHERIT", *self.attributes.split()]


@dataclass(frozen=True, slots=True)
class Membership:
    """`member` may become `role` by SET ROLE, and has its rights without that where it `inherits`
    them; it may let nobody else in."""

    role: str
    member: str
    inherits: bool


# Django calls set_config() at connect unless the session already runs in UTC, and set_config is
# revoked: the time zone therefore comes from the role. The application's statements carry tickets:
# other sessions must not see them, nor the server's log when one is refused.
ROLES = (
    Role(
        OWNER,
        "NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION",
        (("timezone", "UTC"), ("lock_timeout", "5s")),
    ),
    Role(
        APP,
        "NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION",
        (
            ("timezone", "UTC"),
            ("search_path", "public, pg_temp"),
            ("idle_in_transaction_session_timeout", "60s"),
            ("track_activities", "off"),
            ("log_min_error_statement", "panic"),
            ("log_parameter_max_length", "0"),
            ("log_parameter_max_length_on_error", "0"),
        ),
    ),
    Role(
        BACKUP,
        "NOSUPERUSER BYPASSRLS NOCREATEROLE NOCREATEDB REPLICATION",
        (("timezone", "UTC"),),
    ),
    # Whom the owner becomes to carry a tenant's rows from one schema to another, past the walls of
    # both. Nobody logs in as it, and it has rights to tenants' tables alone.
    Role(
        MOVER,
        "NOSUPERUSER BYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION",
        can_log_in=False,
    ),
)

# All there are: nobody else belongs to one of ours, and none of ours to anything else.
MEMBERSHIPS = (
    Membership("pg_read_all_data", BACKUP, inherits=True),
    Membership(MOVER, OWNER, inherits=False),
)

# Functions that would let an injected expression look or act past the walls (operations §1).
REVOKED_FUNCTIONS = (
    "pg_catalog.set_config(text, text, boolean)",
    "pg_catalog.pg_terminate_backend(integer, bigint)",
    "pg_catalog.pg_cancel_backend(integer)",
    "pg_catalog.pg_stat_get_activity(integer)",
    "pg_catalog.pg_lock_status()",
    "pg_catalog.pg_prepared_statement()",
    "pg_catalog.pg_cursor()",
    "pg_catalog.pg_notify(text, text)",
    "pg_catalog.pg_export_snapshot()",
    "pg_catalog.lo_creat(integer)",
    "pg_catalog.lo_create(oid)",
    "pg_catalog.lo_from_bytea(oid, bytea)",
    "pg_catalog.lo_open(oid, integer)",
    "pg_catalog.lo_put(oid, bigint, bytea)",
    "pg_catalog.lo_get(oid)",
    "pg_catalog.lo_get(oid, bigint, integer)",
    "pg_catalog.lo_unlink(oid)",
    "pg_catalog.query_to_xml(text, boolean, boolean, text)",
    "pg_catalog.query_to_xmlschema(text, boolean, boolean, text)",
    "pg_catalog.query_to_xml_and_xmlschema(text, boolean, boolean, text)",
    "pg_catalog.ts_stat(text)",
    "pg_catalog.ts_stat(text, text)",
    "pg_catalog.ts_rewrite(tsquery, text)",
    "pg_catalog.pg_sleep(double precision)",
    "pg_catalog.pg_sleep_for(interval)",
    "pg_catalog.pg_sleep_until(timestamp with time zone)",
)
# By LIKE, with all overloads.
REVOKED_FUNCTION_PATTERNS = (
    # A stranger who holds a tenant's lock could stop it or move it.
    "pg_advisory%",
    "pg_try_advisory%",
    # Any text into the WAL, as much as there is room for.
    "pg_logical_emit_message",
    # WAL kept for ever, by whoever may replicate.
    "pg_create_%replication_slot",
    "pg_copy_%replication_slot",
    "pg_drop_replication_slot",
    "pg_replication_slot_advance",
    "pg_sync_replication_slots",
    "pg_logical_slot_%",
    # What other sessions run, tickets included, and how much happens in whose tables.
    "pg_stat_get_%",
    # How much other tenants have.
    "pg_relation_size",
    "pg_total_relation_size",
    "pg_table_size",
    "pg_indexes_size",
    "pg_database_size",
)

# What the backup's log-in may call besides what everybody may: have the server hand over its WAL so
# far, and see what waits to be handed over, and when something was last.
BACKUP_FUNCTIONS = (
    "pg_catalog.pg_switch_wal()",
    "pg_catalog.pg_ls_archive_statusdir()",
    "pg_catalog.pg_stat_get_archiver()",
)

# Their function is revoked, or they show other sessions' or tenants' doings.
REVOKED_VIEWS = ("pg_stat_activity", "pg_locks", "pg_prepared_statements", "pg_cursors")
