"""Rows by the million for `benchmarks.backups`, in the order of time, as they would have come.

Half of them are orders, a quarter fills, a quarter events of a person's log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.population import Connection, insert

_EPOCH = "timestamptz '2025-01-01'"


@dataclass(frozen=True, slots=True)
class Seat:
    """Whose rows they are: ids of a tenant and of a person."""

    tenant: str
    user: str


def fill(
    connection: Connection, seats: Sequence[Seat], rows: int, *, schema: str = "public"
) -> None:
    """So many rows, to the seats in turn: who has several seats gets more."""
    for statement in (
        "SET session_replication_role = replica",
        f'SET search_path = "{schema}", public',
        "CREATE TEMP TABLE seat (seat int, tenant uuid, person uuid)",
    ):
        connection.execute(statement)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO seat VALUES (%s, %s, %s)",
            [(number, seat.tenant, seat.user) for number, seat in enumerate(seats)],
        )
    turns = (
        f"SELECT n, n / {len(seats)} AS turn, s.tenant, s.person,"
        f" {_EPOCH} + n * interval '1 second' AS at"
        f" FROM generate_series(0, {rows // 2 - 1}) n JOIN seat s ON s.seat = n % {len(seats)}"
    )
    people = f"SELECT DISTINCT tenant, person, {_EPOCH} AS at FROM seat"
    insert(connection, "trading_account", people, {**_OWNED, **_ACCOUNT})
    insert(connection, "trading_position", people, {**_OWNED, **_POSITION})
    for table, given, some in (
        ("trading_order", _ORDER, ""),
        ("trading_fill", _FILL, "WHERE turn % 2 = 0"),
        ("trading_notification", _EVENT, "WHERE turn % 2 = 1"),
    ):
        ordered = f"SELECT * FROM ({turns}) t {some} ORDER BY n"
        insert(connection, table, ordered, {**_OWNED, "id": _id(table), **given})
    for statement in ("DROP TABLE seat", "RESET search_path", "RESET session_replication_role"):
        connection.execute(statement)
    connection.execute("VACUUM (ANALYZE)")


def change(connection: Connection, tenant: str, day: int) -> None:
    """About one in sixty of its orders and events, as a day does (the first is 0): some are others
    now, some are gone, some have come."""
    some = "tenant_id = %s AND get_byte(uuid_send(id), 15) < 4"
    columns = "tenant_id, user_id, kind, at, data, read_at"
    for statement in (
        "SET session_replication_role = replica",
        f"UPDATE trading_order SET fees = fees + 1, updated_at = now() WHERE {some}",
        f"INSERT INTO trading_notification (id, number, {columns})"
        f" SELECT uuidv7(), number + {10**9 << day}, {columns}"
        f" FROM trading_notification WHERE {some}",
        f"DELETE FROM trading_notification WHERE {some.replace('< 4', '> 251')}",
    ):
        connection.execute(statement, [tenant] if "%s" in statement else None)
    connection.execute("RESET session_replication_role")


def copy(connection: Connection, tenant: str, tables: Sequence[str]) -> str:
    """The tenant's rows once more in plain tables of a schema, which is given: `pg_dump` knows no
    other way to a part of a table."""
    connection.execute("DROP SCHEMA IF EXISTS copied CASCADE")
    connection.execute("CREATE SCHEMA copied")
    for table in tables:
        connection.execute(f"CREATE TABLE copied.{table} (LIKE public.{table} INCLUDING ALL)")
        connection.execute(
            f"INSERT INTO copied.{table} SELECT * FROM public.{table}"
            " WHERE tenant_id = %s ORDER BY id",
            [tenant],
        )
    return "copied"


def _id(table: str) -> str:
    """Of version 7: by time, and of each row always the same, so that others can name it."""
    milliseconds = "lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')"
    return f"({milliseconds} || '7000' || substr(md5('{table}' || n), 1, 16))::uuid"


_ACCOUNT_ID = "md5('account ' || tenant)::uuid"
_POSITION_ID = "md5('position ' || tenant)::uuid"
_INSTRUMENT = "(ARRAY['BTC/USD', 'ETH/USD', 'EUR/USD', 'AAPL', 'MSFT'])[n % 5 + 1]"
_SIDE = "CASE WHEN n % 2 = 0 THEN 'buy' ELSE 'sell' END"
_PRICE = "(100 + n % 9001 / 10.0 + n % 97 / 100.0)"
_QUANTITY = "(1 + n % 53 + n % 8999 / 1000.0)"
_OWNED = {
    "tenant_id": "tenant",
    "user_id": "person",
    "account_id": _ACCOUNT_ID,
    "created_at": "at",
    "updated_at": "at",
}
_ACCOUNT = {
    "id": _ACCOUNT_ID,
    "name": "'filled'",
    "kind": "'paper'",
    "currency": "'USD'",
    "cost_method": "'average'",
    "status": "'active'",
}
_POSITION = {
    "id": _POSITION_ID,
    "instrument": "'AAPL'",
    "opened_at": "at",
    "closed_at": "at",
}
_ORDER = {
    "instrument": _INSTRUMENT,
    "side": _SIDE,
    "type": "CASE WHEN n % 3 = 0 THEN 'limit' ELSE 'market' END",
    "quantity": _QUANTITY,
    "limit_price": f"CASE WHEN n % 3 = 0 THEN {_PRICE} END",
    "time_in_force": "'gtc'",
    "client_order_id": "md5('client ' || n)",
    "digest": "sha256(n::text::bytea)",
    "status": "'filled'",
    "filled_quantity": _QUANTITY,
    "average_price": _PRICE,
    "fees": f"round({_PRICE} * {_QUANTITY} * 0.002, 8)",
    "locked_currency": "'USD'",
    "placed_after": "at",
    "matched_through": "at",
}
_FILL = {
    "order_id": _id("trading_order"),
    "position_id": _POSITION_ID,
    "instrument": _INSTRUMENT,
    "side": _SIDE,
    "quantity": _QUANTITY,
    "price": _PRICE,
    "fee": f"round({_PRICE} * {_QUANTITY} * 0.002, 8)",
    "fee_currency": "'USD'",
    "liquidity": "'taker'",
    "trade_id": "md5('trade ' || n)",
    "executed_at": "at",
    "recorded_at": "at",
    "model": "'next_bar'",
    "source": f"jsonb_build_object('bar', at, 'open', {_PRICE}::text, 'rule', 'open of the next')",
}
_EVENT = {
    "number": "n + 1000000",
    "kind": "'order.filled'",
    "at": "at",
    "data": f"jsonb_build_object('order', {_id('trading_order')}, 'price', {_PRICE}::text,"
    f" 'quantity', {_QUANTITY}::text, 'instrument', {_INSTRUMENT})",
}
