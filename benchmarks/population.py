"""A thousand tenants with two thousand orders each, and one with a hundred thousand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import psycopg

from tenants.identifiers import schema_of

Connection = psycopg.Connection[tuple[object, ...]]
USERS = 4  # of each tenant
_EPOCH = "timestamptz '2025-01-01'"
# What a column holds that the population has no opinion of: the schema may grow.
_FILLERS = {
    "boolean": "false",
    "numeric": "0",
    "integer": "0",
    "smallint": "0",
    "bigint": "0",
    "uuid": "gen_random_uuid()",
    "jsonb": "'{}'::jsonb",
    "timestamp with time zone": _EPOCH,
}


@dataclass(frozen=True, slots=True)
class Population:
    """`even` tenants with `each` orders, and tenant number `even` with `largest`."""

    even: int = 1_000
    each: int = 2_000
    largest: int = 100_000

    @property
    def orders(self) -> int:
        return self.even * self.each + self.largest

    @property
    def big(self) -> int:
        """The number of the largest tenant."""
        return self.even

    def fill(self, connection: Connection) -> None:
        """All rows of `public`, in the order of time, as they would have come."""
        connection.execute("SET session_replication_role = replica")
        _tenants(connection, self)
        every = max(self.orders // self.largest, 2)  # each how-many-eth order is the largest's
        turns = (
            f"SELECT n, n - n / {every} AS m, n % {every} = {every - 1} AS is_big"
            f" FROM generate_series(0, {self.orders - 1}) n"
        )
        numbered = (
            f"SELECT n, (CASE WHEN is_big THEN {self.even} ELSE m % {self.even} END)::int tenant,"
            f" (CASE WHEN is_big THEN n / {every} ELSE m / {self.even} END % {USERS})::int person,"
            f" {_EPOCH} + n * interval '10 seconds' AS at FROM ({turns}) i"
        )
        some = f"SELECT * FROM ({numbered}) s WHERE n % 4 = 0"
        few = f"SELECT * FROM ({numbered}) s WHERE n / {self.even} < 80"
        people = (
            f"SELECT t * {USERS} + p AS n, t AS tenant, p AS person, {_EPOCH} AS at"
            f" FROM generate_series(0, {self.even}) t, generate_series(0, {USERS - 1}) p"
        )
        insert(connection, "trading_account", people, {**_OWNED, **_ACCOUNT})
        insert(connection, "trading_order", numbered, {**_OWNED, **_ORDER})
        insert(connection, "trading_fill", some, {**_OWNED, **_FILL})
        insert(connection, "trading_position", few, {**_OWNED, **_POSITION})
        # Half of the positions are in perpetual futures, the others were opened by a bracket.
        terms = "SELECT p.*, row_number() OVER (ORDER BY id) AS n FROM trading_position p"
        perpetual, bracket = (f"SELECT * FROM ({terms}) s WHERE n % 2 = {odd}" for odd in (0, 1))
        insert(connection, "trading_perpetualterms", perpetual, {**_TERMS, **_PERPETUAL})
        insert(connection, "trading_bracketterms", bracket, {**_TERMS, **_BRACKET})
        connection.execute("RESET session_replication_role")
        connection.execute("VACUUM (ANALYZE)")


def tenant_id(number: int) -> UUID:
    return _uuid(f"tenant {number}")


def user_id(number: int, person: int) -> UUID:
    return _uuid(f"user {number} {person}")


def account_id(number: int, person: int) -> UUID:
    return _uuid(f"account {number} {person}")


def _uuid(name: str) -> UUID:
    return UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())


_OWNED = {
    "id": "uuidv7(at - now())",
    "tenant_id": "md5('tenant ' || tenant)::uuid",
    "user_id": "md5('user ' || tenant || ' ' || person)::uuid",
    "created_at": "at",
    "updated_at": "at",
}
_ACCOUNT_ID = "md5('account ' || tenant || ' ' || person)::uuid"
_INSTRUMENT = "(ARRAY['BTC/USD', 'ETH/USD', 'EUR/USD', 'AAPL', 'MSFT'])[n % 5 + 1]"
_SIDE = "CASE WHEN n % 2 = 0 THEN 'buy' ELSE 'sell' END"
_PRICE = "(100 + n % 900 + (n % 97) / 100.0)"
_QUANTITY = "(1 + n % 50 + (n % 89) / 1000.0)"
_ACCOUNT = {
    "id": _ACCOUNT_ID,
    "name": "'Paper ' || person",
    "kind": "'paper'",
    "currency": "'USD'",
    "cost_method": "'average'",
    "status": "'active'",
    "is_default": "true",
    "maker_bps": "10",
    "taker_bps": "20",
    "slippage_bps": "5",
}
_ORDER = {
    "account_id": _ACCOUNT_ID,
    "instrument": _INSTRUMENT,
    "side": _SIDE,
    "type": "CASE WHEN n % 3 = 0 THEN 'limit' ELSE 'market' END",
    "quantity": _QUANTITY,
    "limit_price": f"CASE WHEN n % 3 = 0 THEN {_PRICE} END",
    "time_in_force": "'gtc'",
    "client_order_id": "md5('order ' || n)",
    "status": "CASE WHEN n % 100 = 7 THEN 'accepted' ELSE 'filled' END",
    "filled_quantity": f"CASE WHEN n % 100 = 7 THEN 0 ELSE {_QUANTITY} END",
    "average_price": f"CASE WHEN n % 100 = 7 THEN NULL ELSE {_PRICE} END",
    "fees": f"round({_PRICE} * {_QUANTITY} * 0.002, 8)",
    "locked_currency": "'USD'",
}
_FILL = {
    "account_id": _ACCOUNT_ID,
    "instrument": _INSTRUMENT,
    "side": _SIDE,
    "quantity": _QUANTITY,
    "price": _PRICE,
    "fee": f"round({_PRICE} * {_QUANTITY} * 0.002, 8)",
    "fee_currency": "'USD'",
    "liquidity": "'taker'",
    "trade_id": "md5('trade ' || n)",
    "executed_at": "at",
    "model": "'next_bar'",
}
_POSITION = {
    "account_id": _ACCOUNT_ID,
    "instrument": _INSTRUMENT,
    "average_price": _PRICE,
    "realized_pnl": f"round({_PRICE} / 7, 8)",
    "opened_at": "at",
    "closed_at": "at",
}
_TERMS = {"position_id": "id", "tenant_id": "tenant_id", "user_id": "user_id"}
_PERPETUAL = {"leverage": "1 + n % 20", "margin_mode": "'isolated'"}
_BRACKET = {"take_profit": f"{_PRICE} * 1.2", "stop_loss": f"{_PRICE} * 0.9"}


def _tenants(connection: Connection, population: Population) -> None:
    rows = [
        (tenant_id(number), f"tenant-{number}", schema_of(tenant_id(number)))
        for number in range(population.even + 1)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO tenants_tenant (id, slug, name, schema_name, plan_id, status,"
            " status_reason, placement, region, created_at)"
            " VALUES (%s, %s, '', %s, 'pro', 'active', '', 'shared', 'default', now())",
            rows,
        )


def insert(connection: Connection, table: str, source: str, given: Mapping[str, str]) -> None:
    """Rows of `source`, each column by its expression; required ones without get a filler."""
    columns = connection.execute(
        "SELECT column_name, data_type, is_nullable = 'YES' FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position",
        [table],
    ).fetchall()
    chosen = {
        str(name): given.get(str(name)) or _FILLERS.get(str(kind), "''")
        for name, kind, is_nullable in columns
        if name in given or not is_nullable
    }
    names = ", ".join(f'"{name}"' for name in chosen)
    connection.execute(
        f"INSERT INTO {table} ({names}) SELECT {', '.join(chosen.values())} FROM ({source}) r"
    )
