"""A fee by the currency it was taken in: the position, the fee, and the cash that was moved."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from trading.values import Side
from trading.venues import fees
from trading.venues.differences import Flow
from trading.venues.facts import VenueTrade


def trade(side: str, fee: str, currency: str) -> VenueTrade:
    """Of two at a hundred."""
    return VenueTrade(
        id="t",
        order_id="o",
        symbol="BTC/USD",
        side=Side(side),
        quantity=Decimal(2),
        price=Decimal(100),
        fee=Decimal(fee),
        fee_currency=currency,
        is_maker=True,
        at=datetime(2024, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("side", "fee", "currency", "spare", "held", "counted", "kept", "apart"),
    [
        ("buy", "0", "", "0", "2", "0", "0", None),
        ("buy", "0.5", "USD", "0", "2", "0.5", "0", None),
        ("sell", "0.5", "USD", "0", "2", "0.5", "0", None),
        ("buy", "0.01", "BTC", "0", "1.99", "1", "0.01", None),
        ("sell", "0.01", "BTC", "5", "2.01", "1", "0.01", None),
        # A position that is sold as a whole has nothing left for the fee, or not enough.
        ("sell", "0.01", "BTC", "0", "2", "0", "0", Flow("BTC", Decimal("-0.01"))),
        ("sell", "0.01", "BTC", "0.004", "2.004", "0.4", "0.004", Flow("BTC", Decimal("-0.006"))),
        ("buy", "0.3", "BNB", "0", "2", "0", "0", Flow("BNB", Decimal("-0.3"))),
        # Rebates.
        ("buy", "-0.1", "USD", "0", "2", "0", "0", Flow("USD", Decimal("0.1"))),
        ("sell", "-0.1", "BTC", "9", "2", "0", "0", Flow("BTC", Decimal("0.1"))),
    ],
)
def test_a_fee_is_booked_where_it_was_taken(
    side: str,
    fee: str,
    currency: str,
    spare: str,
    held: str,
    counted: str,
    kept: str,
    apart: Flow | None,
) -> None:
    told = trade(side, fee, currency)
    booked = fees.book(told, base="BTC", quote="USD", spare=Decimal(spare))
    assert (booked.held.quantity, booked.held.fee) == (Decimal(held), Decimal(counted))
    assert (booked.base_fee, booked.apart) == (Decimal(kept), apart)
    taken = Decimal(fee) if currency == "USD" and Decimal(fee) > 0 else Decimal(0)
    moved = -booked.held.quantity * 100 if side == "buy" else booked.held.quantity * 100
    assert moved - booked.held.fee == (-200 if side == "buy" else 200) - taken
