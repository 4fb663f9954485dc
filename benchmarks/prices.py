"""What a price costs: how its work grows with tenants, open orders, and orders it touches.

`python -m benchmarks prices`; takes about five minutes. Orders rest at prices far apart, so that a
bar touches exactly as many as it is meant to; each size is measured in turn, in one process. A bar
is how a price arrives: it is stored, then met by whoever it concerns, and all of it is committed.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from typing import Any

from benchmarks.installation import installed, python
from benchmarks.population import Connection, tenant_id, user_id
from benchmarks.report import Report, Table, publish
from tenants.identifiers import schema_of


@dataclass(frozen=True, slots=True)
class Crowd:
    """`orders` resting buys for one instrument of its own, spread evenly over `tenants`."""

    tenants: int
    orders: int

    @property
    def symbol(self) -> str:
        return f"T{self.tenants}N{self.orders}/USD"


FULL = (Crowd(10, 1_000), Crowd(100, 1_000), Crowd(1_000, 1_000), Crowd(1_000, 10_000))
QUICK = (Crowd(5, 100), Crowd(20, 100))
TOUCHED = (0, 1, 10)
Times = dict[str, list[float]]  # seconds, by orders touched


def run(*, quick: bool = False) -> None:
    crowds, rounds = (QUICK, 5) if quick else (FULL, 40)
    with installed() as installation:
        with installation.superuser() as connection:
            _fill(connection, crowds)
        asked = json.dumps([[c.symbol, c.tenants, c.orders] for c in crowds])
        arguments = ("-m", "benchmarks.prices_process", asked, str(rounds))
        found = json.loads(python(installation.environment, *arguments).splitlines()[-1])
        publish(_report(crowds, found), installation, keep=not quick)


def _fill(connection: Connection, crowds: tuple[Crowd, ...]) -> None:
    """Order number n of a crowd buys at 1,000,000 − n, for the tenant n modulo their number."""
    connection.execute("SET session_replication_role = replica")
    most = max(crowd.tenants for crowd in crowds)
    with connection.cursor() as cursor:
        for number in range(most):
            key = tenant_id(number)
            cursor.execute(_TENANT, [key, f"tenant-{number}", schema_of(key)])
            cursor.execute(_ACCOUNT, [user_id(number, 0), key])
        for crowd in crowds:
            cursor.execute(_INSTRUMENT, [crowd.symbol])
            cursor.execute(_CANDLE, [crowd.symbol])
            cursor.execute(
                _ORDERS,
                {"symbol": crowd.symbol, "tenants": crowd.tenants, "orders": crowd.orders},
            )
        cursor.execute(_BALANCES)
    connection.execute("RESET session_replication_role")
    connection.execute("VACUUM (ANALYZE)")


_TENANT = (
    "INSERT INTO tenants_tenant (id, slug, name, schema_name, plan_id, status, status_reason,"
    " placement, region, created_at)"
    " VALUES (%s, %s, '', %s, 'pro', 'active', '', 'shared', 'default', now())"
)
_ACCOUNT = (
    "INSERT INTO trading_account (id, tenant_id, user_id, name, kind, exchange, currency,"
    " cost_method, is_default, status, status_reason, maker_bps, taker_bps, slippage_bps,"
    " created_at, updated_at) SELECT md5('account ' || t)::uuid, t, %s, 'paper', 'paper', '',"
    " 'USD', 'average', true, 'active', '', 10, 20, 5, now(), now() FROM (SELECT %s::uuid t) r"
)
_INSTRUMENT = (
    "INSERT INTO market_instrument VALUES (%s, 'x', 'crypto', 'X', 'USD', 0.01, 0.001, 0.001, true)"
)
_CANDLE = (
    "INSERT INTO market_candle (symbol, timeframe, start, open, high, low, close, volume,"
    " is_on_tape) VALUES (%s, '1h', '2024-01-01Z', 2000000, 2000000, 2000000, 2000000, 0, true)"
)
_ORDERS = """
INSERT INTO trading_order (id, tenant_id, user_id, account_id, instrument, side, type, quantity,
    limit_price, time_in_force, post_only, reduce_only, role, client_order_id, status,
    status_reason, filled_quantity, sibling_filled, fees, locked, locked_currency, reserved,
    top_ups, maker_bps, taker_bps, slippage_bps, placed_after, matched_through, is_resting,
    is_triggered, created_at, updated_at)
SELECT uuidv7(), a.tenant_id, a.user_id, a.id, %(symbol)s::text, 'buy', 'limit', 0.001, 1000000 - n,
    'gtc', false, false, '', md5(%(symbol)s::text || n), 'accepted', '', 0, 0, 0, 1002, 'USD', 1002,
    '[]', 10, 20, 5, '2024-01-01Z', '2024-01-01Z', true, false, now(), now()
  FROM generate_series(0, %(orders)s - 1) n
  JOIN trading_account a
    ON a.id = md5('account ' || md5('tenant ' || n %% %(tenants)s)::uuid)::uuid
"""
_BALANCES = """
INSERT INTO trading_balance (id, tenant_id, user_id, account_id, currency, total, free, locked)
SELECT uuidv7(), tenant_id, user_id, account_id, 'USD', sum(locked), 0, sum(locked)
  FROM trading_order GROUP BY tenant_id, user_id, account_id
"""


def _report(crowds: tuple[Crowd, ...], found: dict[str, Any]) -> Report:
    seconds: dict[str, Times] = found["seconds"]
    medians = {
        symbol: {touched: statistics.median(times) for touched, times in by.items()}
        for symbol, by in seconds.items()
    }
    data = {"medians": medians, **found}
    tables = [_growth(crowds, medians), _marginal(crowds, medians, found["statements"])]
    return Report("prices", "What a price costs", tables, data)


def _growth(crowds: tuple[Crowd, ...], medians: dict[str, dict[str, float]]) -> Table:
    least = medians[crowds[0].symbol]
    rows = [
        [
            f"{crowd.tenants:,}",
            f"{crowd.orders:,}",
            touched,
            f"{value * 1e3:.2f} ms",
            f"{1 / value:,.0f}",
            f"{value / least[touched]:.2f}",
        ]
        for crowd in crowds
        for touched, value in medians[crowd.symbol].items()
    ]
    return Table(
        "One price, stored and matched",
        ["tenants", "open orders", "touched", "median", "prices a second", "to the smallest crowd"],
        rows,
        "As many touched orders should cost the same whatever the crowd: a ratio near 1. The"
        " touched orders are of as many tenants, and all are filled.",
    )


def _marginal(
    crowds: tuple[Crowd, ...],
    medians: dict[str, dict[str, float]],
    statements: dict[str, dict[str, int]],
) -> Table:
    """What each further order costs that a price touches."""
    none, *_, most = map(str, TOUCHED)
    rows = []
    for crowd in crowds:
        took, asked = medians[crowd.symbol], statements[crowd.symbol]
        each = (took[most] - took[none]) / int(most)
        more = (asked[most] - asked[none]) / int(most)
        rows.append(
            [
                f"{crowd.tenants:,}",
                f"{crowd.orders:,}",
                f"{took[none] * 1e3:.2f} ms",
                str(asked[none]),
                f"{each * 1e3:.2f} ms",
                f"{more:.1f}",
            ]
        )
    return Table(
        "What a touched order adds",
        ["tenants", "open orders", "a price", "statements", "each order", "statements"],
        rows,
        f"Between a price that touches {none} orders and one that touches {most}: a transaction for"
        " each tenant's account, with its fill. Statements are those besides BEGIN and COMMIT.",
    )
