"""The walls themselves, in raw SQL as the application's role; and that each one bears weight."""

from __future__ import annotations

from itertools import product
from uuid import uuid4

import psycopg
import pytest

from tenants.backend.opening import entry_statement
from tenants.context import Actor, Scope, TenantContext
from tenants.identifiers import PUBLIC_SCHEMA
from tenants.ownership import UserOwned, tenant_models
from tenants.rls import OWNER_POLICY, TENANT_POLICY, quoted
from tests.isolation.database import application, as_tenant, as_user, inside, sabotaged
from tests.isolation.world import Trader, World, build_world
from tests.tenants.catalogue.scratch import alone

TABLES = sorted(model._meta.db_table for model in tenant_models())
CHAINED = ("audit_audithead", "audit_auditlink")
OWNED = sorted(m._meta.db_table for m in tenant_models() if issubclass(m, UserOwned))


def foreign_rows(
    cursor: psycopg.Cursor, table: str, trader: Trader, schema: str = PUBLIC_SCHEMA
) -> int:
    """Rows of another tenant that the transaction can read there."""
    cursor.execute(
        f"SELECT count(*) FROM {quoted(schema)}.{table} WHERE tenant_id <> %s",
        [trader.person.tenant.id],
    )
    return int(cursor.fetchone()[0])


def others_rows(cursor: psycopg.Cursor, table: str, trader: Trader) -> int:
    """Rows of other people of the same tenant that the transaction can read."""
    cursor.execute(f"SELECT count(*) FROM {table} WHERE user_id <> %s", [trader.person.user_id])
    return int(cursor.fetchone()[0])


def shared(world: World) -> Trader:
    return world.traders[0]


def schemas(world: World) -> list[str]:
    """Those with rows of the world's people: `public`, and the dedicated ones."""
    return sorted({trader.person.tenant.live_schema for trader in world.traders})


@pytest.mark.parametrize("table", TABLES)
def test_no_row_of_another_tenant_is_read(world: World, table: str) -> None:
    for trader, schema in product(world.traders, schemas(world)):
        with inside(as_tenant(trader)) as cursor:
            assert foreign_rows(cursor, table, trader, schema) == 0


@pytest.mark.parametrize("table", TABLES)
def test_without_the_tenant_wall_rows_of_others_would_be_read(world: World, table: str) -> None:
    """The mutation: the test above fails when the policy is dropped, in whichever schema.

    In another tenant's schema a person's rows have their owner's wall besides.
    """
    for schema in schemas(world):
        drop = f"DROP POLICY {TENANT_POLICY} ON {quoted(schema)}.{table}"
        if schema != PUBLIC_SCHEMA:
            drop += f"; DROP POLICY IF EXISTS {OWNER_POLICY} ON {quoted(schema)}.{table}"
        with sabotaged(drop, as_tenant(shared(world))) as cursor:
            assert foreign_rows(cursor, table, shared(world), schema) > 0


def test_a_merge_reads_and_changes_no_row_of_others(world: World) -> None:
    """One that names no column of its target hears at most that there is such a row."""
    merge = "MERGE INTO {} c USING (SELECT) s ON {} WHEN MATCHED THEN DELETE"
    for trader, schema in product(world.traders, schemas(world)):
        table = f"{quoted(schema)}.trading_exchangecredential"
        with inside(as_tenant(trader)) as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            (mine,) = cursor.fetchone()
            cursor.execute(merge.format(table, "c.id IS NOT NULL"))
            assert cursor.rowcount == mine
        if schema == PUBLIC_SCHEMA or schema != trader.person.tenant.live_schema:
            refused = pytest.raises(
                psycopg.errors.InsufficientPrivilege, match="row-level security"
            )
            with inside(as_tenant(trader)) as cursor, refused:
                cursor.execute(merge.format(table, "true"))


@pytest.mark.parametrize("table", OWNED)
def test_no_row_of_another_person_is_read(world: World, table: str) -> None:
    for trader in world.traders:
        with inside(as_user(trader)) as cursor:
            assert others_rows(cursor, table, trader) == 0
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone()[0] > 0


@pytest.mark.parametrize("table", OWNED)
def test_without_the_owner_wall_rows_of_others_would_be_read(world: World, table: str) -> None:
    """The mutation, on both tiers: Bob would see Alice."""
    for trader in world.traders[:1] + world.traders[3:4]:
        schema = quoted(trader.person.tenant.live_schema)
        drop = f"DROP POLICY {OWNER_POLICY} ON {schema}.{table}"
        with sabotaged(drop, as_user(trader)) as cursor:
            assert others_rows(cursor, table, trader) > 0


@pytest.mark.parametrize("table", TABLES)
def test_without_force_the_walls_still_hold_for_the_application(world: World, table: str) -> None:
    """FORCE binds the owner; the application owns nothing, and needs no FORCE to be bound."""
    lower = f"ALTER TABLE public.{table} NO FORCE ROW LEVEL SECURITY"
    with sabotaged(lower, as_tenant(shared(world))) as cursor:
        assert foreign_rows(cursor, table, shared(world)) == 0


@pytest.mark.parametrize("table", TABLES)
def test_no_context_means_no_rows(world: World, table: str) -> None:
    with application() as cursor:
        cursor.execute(f"SELECT count(*) FROM public.{table}")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("table", TABLES)
def test_no_context_means_a_refused_insert(world: World, table: str) -> None:
    with inside(as_tenant(shared(world))) as cursor:
        cursor.execute(f"SELECT to_jsonb(t) FROM {table} t LIMIT 1")
        row = cursor.fetchone()[0]
    row["id"] = str(uuid4())
    with application() as cursor, pytest.raises(psycopg.Error) as caught:
        cursor.execute(
            f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(null::{table}, %s)",
            [psycopg.types.json.Jsonb(row)],
        )
    # By the wall; or before it, by the trigger of what only the trail's chain writes.
    assert caught.value.sqlstate == ("BH005" if table in CHAINED else "42501")


@pytest.mark.parametrize("setting", ["app.current_tenant_id", 'app."current_schema"', "all"])
def test_settings_alone_open_nothing(world: World, setting: str) -> None:
    """The policies trust the proof that `enter_tenant` leaves, not the settings."""
    trader = shared(world)
    values = {
        "app.current_tenant_id": str(trader.person.tenant.id),
        'app."current_schema"': "public",
        "app.current_scope": "tenant",
        "app.current_proof": "00" * 32,
    }
    with application() as cursor:
        for name, value in values.items():
            if setting in (name, "all"):
                cursor.execute(f"SET LOCAL {name} = '{value}'".encode())
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM public.{table}".encode())
            assert cursor.fetchone() == (0,)


def test_changing_the_settings_inside_a_tenant_closes_it(world: World) -> None:
    """Whoever turns scope or tenant by hand invalidates the proof, and sees nothing at all."""
    trader, stranger = world.traders[0], world.traders[2]
    changes = {
        "app.current_scope": "tenant",
        "app.current_tenant_id": str(stranger.person.tenant.id),
        "app.current_user_id": str(world.traders[1].person.user_id),
    }
    for name, value in changes.items():
        with inside(as_user(trader)) as cursor:
            cursor.execute(f"SET LOCAL {name} = '{value}'".encode())
            cursor.execute("SELECT count(*) FROM trading_order")
            assert cursor.fetchone() == (0,), name


# Nested loops and index scans: the owner wall is then first read when the second row is looked up.
_LAZY = ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "material", "memoize")
_CURSOR = """
DECLARE c CURSOR FOR
SELECT o.id FROM (VALUES (1, gen_random_uuid()), (2, '{order}'::uuid)) AS g (i, k)
  LEFT JOIN LATERAL (SELECT * FROM trading_order o WHERE o.id = g.k OFFSET 0) o ON true
"""
_BELIEVING = (
    "(SELECT current_setting('app.current_scope', true) = 'tenant')"
    " OR (SELECT current_setting('app.current_scope', true) = 'user')"
    " AND user_id = (SELECT nullif(current_setting('app.current_user_id', true), '')::uuid)"
)
TIERS = {"shared": 0, "dedicated": 3}


def fetched_after(cursor: psycopg.Cursor, change: str, order: str) -> object:
    """What an open cursor gives for an order after a setting was changed between two fetches."""
    for method in _LAZY:
        cursor.execute(f"SET LOCAL enable_{method} = off".encode())
    cursor.execute(_CURSOR.format(order=order).encode())
    cursor.execute("FETCH 1 FROM c")
    assert cursor.fetchall() == [(None,)]
    cursor.execute(change.encode())
    cursor.execute("FETCH 1 FROM c")
    ((found,),) = cursor.fetchall()
    return found and str(found)


def changes_to(bob: Trader) -> list[str]:
    return [
        "SET LOCAL app.current_scope = 'tenant'",
        f"SET LOCAL app.current_user_id = '{bob.user}'",
    ]


@pytest.mark.parametrize("which", [0, 1], ids=["scope", "user"])
@pytest.mark.parametrize("first", TIERS.values(), ids=TIERS)
def test_changing_the_settings_under_an_open_cursor_shows_nothing(
    world: World, first: int, which: int
) -> None:
    """PostgreSQL reads the parts of a policy when it first needs them: each proves itself."""
    alice, bob = world.traders[first : first + 2]
    with inside(as_user(alice)) as cursor:
        assert fetched_after(cursor, changes_to(bob)[which], bob.ids["Order"]) is None


@pytest.mark.parametrize("which", [0, 1], ids=["scope", "user"])
@pytest.mark.parametrize("first", TIERS.values(), ids=TIERS)
def test_an_owner_wall_that_believed_settings_would_show_it(
    world: World, first: int, which: int
) -> None:
    """The mutation: the attack above is a real one."""
    alice, bob = world.traders[first : first + 2]
    table = f"{quoted(alice.person.tenant.live_schema)}.trading_order"
    # Without statistics any index that begins with the tenant would look as good as the key.
    believe = f"ANALYZE {table}; ALTER POLICY {OWNER_POLICY} ON {table} USING ({_BELIEVING})"
    with sabotaged(believe, as_user(alice)) as cursor:
        assert fetched_after(cursor, changes_to(bob)[which], bob.ids["Order"]) == bob.ids["Order"]


@pytest.mark.parametrize("first", TIERS.values(), ids=TIERS)
def test_an_open_cursor_goes_on_when_nothing_was_changed(world: World, first: int) -> None:
    alice = world.traders[first]
    with inside(as_user(alice)) as cursor:
        assert fetched_after(cursor, "SELECT 1", alice.ids["Order"]) == alice.ids["Order"]


@pytest.mark.parametrize("name", ["proven_tenant", "proven_owner"])
def test_nothing_is_proven_in_a_schema_that_is_not_the_tenants(world: World, name: str) -> None:
    for trader in world.traders:
        schemas = {"public", "bulkhead", ""}
        schemas |= {t.person.tenant.schema_name for t in world.traders}
        own = trader.person.tenant.live_schema
        with inside(as_user(trader)) as cursor:
            for schema in schemas:
                cursor.execute(f"SELECT public.{name}(%s) IS NOT NULL".encode(), [schema])
                assert cursor.fetchone() == (schema == own,)


def test_what_the_application_runs_is_shown_to_nobody() -> None:
    """Its statements carry tickets, which are good for minutes."""
    with application() as cursor:
        for name, value in (("track_activities", "off"), ("log_min_error_statement", "panic")):
            cursor.execute(f"SHOW {name}".encode())
            assert cursor.fetchone() == (value,)
            with (
                pytest.raises(psycopg.errors.InsufficientPrivilege),
                cursor.connection.transaction(),
            ):
                cursor.execute(f"SET {name} TO DEFAULT".encode())


def test_a_proof_is_worth_nothing_in_another_transaction(world: World) -> None:
    with inside(as_tenant(shared(world))) as cursor:
        names = ("tenant_id", "user_id", "scope", "schema", "proof")
        cursor.execute(
            "SELECT " + ", ".join(f"current_setting('app.current_{name}')" for name in names)
        )
        values = dict(zip(names, cursor.fetchone() or (), strict=True))
        cursor.connection.rollback()
        for name, value in values.items():
            cursor.execute(f"SET LOCAL app.\"current_{name}\" = '{value}'".encode())
        cursor.execute("SELECT count(*) FROM trading_order")
        assert cursor.fetchone() == (0,)


def test_a_second_tenant_in_one_transaction_is_refused(world: World) -> None:
    with inside(as_tenant(world.traders[0])) as cursor:
        with pytest.raises(psycopg.Error, match="already entered") as caught:
            cursor.execute(entry_statement(as_tenant(world.traders[2])))
        assert caught.value.sqlstate == "BH004"


@pytest.mark.parametrize("forged", ["tenant", "user", "scope", "time", "mac"])
def test_a_forged_ticket_is_refused(world: World, forged: str) -> None:
    context = as_user(world.traders[0])
    statement = entry_statement(context).decode()
    stranger = world.traders[2].person
    replacements = {
        "tenant": (str(context.tenant_id), str(stranger.tenant.id)),
        "user": (str(context.actor.user_id), str(stranger.user_id)),
        "scope": ("'user'", "'tenant'"),
        "time": (", '\\x", "0, '\\x"),
        "mac": ("\\x", "\\x00"),
    }
    old, new = replacements[forged]
    with application() as cursor:
        with pytest.raises(psycopg.Error) as caught:
            cursor.execute(statement.replace(old, new).encode())
        assert caught.value.sqlstate == "BH003"


def test_an_unknown_tenant_is_refused() -> None:
    nobody = TenantContext(uuid4(), Actor.system("attack"), Scope.TENANT)
    with application() as cursor:
        with pytest.raises(psycopg.Error) as caught:
            cursor.execute(entry_statement(nobody))
        assert caught.value.sqlstate == "BH001"


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE trading_order",
        "CREATE TABLE mine (id int)",
        "CREATE TEMP TABLE trading_order (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DO $$ BEGIN END $$",
        "ALTER TABLE trading_order DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_wall ON trading_order",
        "CREATE POLICY mine ON trading_order USING (true)",
        "SET ROLE bulkhead_owner",
        "SET ROLE bulkhead_backup",
        "SET ROLE bulkhead_mover",
        "DELETE FROM bulkhead.changed_row",
        "SET SESSION AUTHORIZATION bulkhead_owner",
        "SET session_replication_role = replica",
        "ALTER ROLE bulkhead_app BYPASSRLS",
        "SELECT * FROM bulkhead.ticket_key",
        "SELECT lo_create(0)",
        "SELECT pg_terminate_backend(1)",
        "SELECT pg_advisory_lock(1)",
        "SELECT * FROM pg_stat_activity",
        "SELECT pg_stat_get_backend_activity(s) FROM pg_stat_get_backend_idset() s",
        "SELECT * FROM pg_stat_all_tables",
        "SELECT * FROM pg_stat_database",
        "SELECT pg_relation_size('trading_order')",
        "SELECT pg_total_relation_size('trading_order')",
        "SELECT pg_database_size(current_database())",
        "SET track_activities = on",
        "SELECT pg_notify('a', 'b')",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY trading_order TO PROGRAM 'cat'",
        "COPY trading_order TO '/tmp/x'",
        "UPDATE trading_fill SET price = 1",
        "DELETE FROM trading_fill",
        "DELETE FROM trading_cashmovement",
        "CREATE EXTENSION plpgsql",
        "SELECT set_config('app.current_tenant_id', 'x', true)",
        "UPDATE pg_settings SET setting = 'x' WHERE name = 'app.current_tenant_id'",
    ],
)
def test_what_the_application_may_never_do(world: World, statement: str) -> None:
    with inside(as_tenant(shared(world))) as cursor, pytest.raises(psycopg.Error) as caught:
        cursor.execute(statement.encode())
    assert caught.value.sqlstate in ("42501", "42710", "0LP01"), caught.value


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER ROLE bulkhead_app PASSWORD 'x'",
        "ALTER ROLE bulkhead_app SET statement_timeout = 1",
        "ALTER ROLE bulkhead_app SET search_path = pg_temp",
    ],
)
def test_what_the_application_may_do_to_itself(world: World, statement: str) -> None:
    """PostgreSQL lets every role; it locks the application out, and opens nothing."""
    with alone(), inside(as_tenant(shared(world))) as cursor:
        cursor.execute(statement.encode())
        assert cursor.statusmessage == "ALTER ROLE"
        assert foreign_rows(cursor, "trading_order", shared(world)) == 0


def test_the_application_has_nothing_to_grant(world: World) -> None:
    """PostgreSQL answers a grant without the right to it with a warning, and does nothing."""
    with inside(as_tenant(shared(world))) as cursor:
        cursor.execute("GRANT SELECT ON trading_order TO PUBLIC")
        cursor.execute("SELECT relacl::text FROM pg_class WHERE oid = 'trading_order'::regclass")
        assert "=r/" not in cursor.fetchone()[0].replace("bulkhead_app=", "")


def test_rows_of_the_past_cannot_be_changed_even_with_the_right() -> None:
    """The trigger stands behind the missing grant: the owner himself is refused."""
    grant = "GRANT UPDATE, DELETE ON trading_fill TO bulkhead_app"
    trader = build_world().traders[0]
    for statement in ("UPDATE trading_fill SET price = 1", "DELETE FROM trading_fill"):
        with sabotaged(grant, as_tenant(trader)) as cursor:
            with pytest.raises(psycopg.Error) as caught:
                cursor.execute(statement.encode())
            assert caught.value.sqlstate == "BH005"


def test_identity_tables_are_closed_inside_a_tenant(world: World) -> None:
    trader = shared(world)
    with inside(as_tenant(trader)) as cursor:
        for table in ("accounts_user", "accounts_platformevent", "django_session"):
            cursor.execute(f"SELECT count(*) FROM {table}".encode())
            assert cursor.fetchone() == (0,), table
        cursor.execute("SELECT DISTINCT id FROM tenants_tenant")
        assert cursor.fetchall() == [(trader.person.tenant.id,)]
        for table in ("accounts_membership", "accounts_refreshtoken"):
            cursor.execute(f"SELECT DISTINCT tenant_id FROM {table}".encode())
            assert cursor.fetchall() == [(trader.person.tenant.id,)], table
        cursor.execute("UPDATE market_candle SET close = close")
        assert cursor.rowcount == 0
