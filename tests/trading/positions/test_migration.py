"""Positions from before there were lots get the lots that their fills leave."""

from __future__ import annotations

import importlib
from decimal import Decimal
from uuid import uuid4

import psycopg

from tenants.identifiers import new_id
from tests.tenants.catalogue.scratch import made

_MIGRATION = importlib.import_module("trading.migrations.0006_positions")
# The table as it stands before the migration's end, which walls it off and adds its references.
_UNFINISHED = """
ALTER TABLE trading_positionlot NO FORCE ROW LEVEL SECURITY,
 DROP CONSTRAINT trading_positionlot_position_same_owner,
 DROP CONSTRAINT trading_positionlot_fill_same_owner
"""
_FORCED = "SELECT relforcerowsecurity FROM pg_class WHERE oid = 'trading_fill'::regclass"
_FILL = """
INSERT INTO trading_fill (id, tenant_id, user_id, order_id, account_id, position_id, instrument,
       side, quantity, price, fee, fee_currency, realized_pnl, liquidity, trade_id, executed_at,
       model, source)
VALUES (%(id)s, %(tenant)s, %(tenant)s, %(order)s, %(order)s, %(position)s, 'GOOG', %(side)s,
        %(quantity)s, %(price)s, 0, 'USD', 0, 'taker', %(id)s, now(), 'bar-1', '{}')
"""
FILLS = [("buy", 2, 100), ("buy", 3, 110), ("sell", 1, 120), ("sell", 2, 90), ("buy", 5, 80)]
LOTS = [(2, 100, 0), (3, 110, 2), (5, 80, 5)]


def test_positions_of_old_get_the_lots_that_their_fills_leave() -> None:
    with made() as scratch:
        connection = scratch.connection
        connection.execute("SET session_replication_role = replica")  # the fills stand alone
        for tenant in (uuid4(), uuid4()):
            one = {"tenant": tenant, "order": uuid4(), "position": uuid4()}
            for side, quantity, price in FILLS:
                values = {"id": new_id(), "side": side, "quantity": quantity, "price": price}
                connection.execute(_FILL, {**one, **values})
        connection.execute("RESET session_replication_role")
        connection.commit()
        with psycopg.connect(scratch.environment["DATABASE_OWNER_URL"]) as owner:
            for statement in (_UNFINISHED, *_MIGRATION.LOTS_OF_OLD):
                owner.execute(statement)
        rows = connection.execute(
            "SELECT tenant_id, quantity, price, remaining FROM trading_positionlot"
            " ORDER BY tenant_id, fill_id"
        ).fetchall()
        assert len({row[0] for row in rows}) == 2
        assert [tuple(map(Decimal, row[1:])) for row in rows] == LOTS * 2
        assert connection.execute(_FORCED).fetchone() == (True,)
