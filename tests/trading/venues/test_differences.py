"""What follows from what an exchange says, as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from trading.orders.states import OrderStatus
from trading.values import Side
from trading.venues.differences import Books, Ending, Flow, OurOrder, differences, mirrored
from trading.venues.facts import Snapshot, VenueOrder, VenueTrade

OURS = UUID(int=1)
S = OrderStatus


def our(status: OrderStatus = S.ACCEPTED, **changes: Any) -> OurOrder:
    fields = {"venue_id": "O1", "quantity": Decimal(2), "filled": Decimal(0), **changes}
    return OurOrder(id=OURS, client_id="c1", status=status, **fields)


def there(status: str = "open", *, filled: str = "0", **changes: Any) -> VenueOrder:
    named = {"id": "O1", "client_id": "c1", "symbol": "X/USD", **changes}
    return VenueOrder(status=status, filled=Decimal(filled), **named)


def trade(number: int, quantity: str = "1", order: str = "O1") -> VenueTrade:
    return VenueTrade(
        id=f"T{number}",
        order_id=order,
        symbol="X/USD",
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal(100),
        fee=Decimal(0),
        fee_currency="USD",
        is_maker=None,
        at=datetime(2024, 1, 1, tzinfo=UTC),
    )


def codes(findings: tuple[dict[str, str], ...]) -> list[str]:
    return [finding["code"] for finding in findings]


@pytest.mark.parametrize(
    ("order", "venue", "expected"),
    [
        (our(), there(), None),
        (our(S.SUBMITTED, venue_id="", is_asked=True), there(), None),
        (our(), there("canceled"), (S.CANCELED, "canceled_at_venue")),
        (our(), there("expired"), (S.EXPIRED, "expired_at_venue")),
        (our(), there("closed"), (S.CANCELED, "closed_at_venue")),
        (our(S.PENDING_CANCEL), there("canceled"), (S.CANCELED, "canceled_at_venue")),
        (our(S.PENDING_CANCEL, is_asked=True), there(), None),
        (our(S.PARTIALLY_FILLED, filled=Decimal(1)), there("open", filled="1"), None),
        (our(S.FILLED, filled=Decimal(2)), there("closed", filled="2"), None),
        (our(S.CANCELED), there("canceled"), None),
    ],
)
def test_an_order_ends_as_it_ended_at_the_exchange(
    order: OurOrder, venue: VenueOrder, expected: tuple[OrderStatus, str] | None
) -> None:
    found = differences(Books(orders=(order,)), Snapshot(orders=(venue,)))
    assert found.endings == (() if expected is None else (Ending(OURS, *expected),))
    assert found.reopened == ()


def test_an_order_ends_only_when_all_its_trades_are_here() -> None:
    books = Books(orders=(our(),))
    seen = there("canceled", filled="1")
    early = differences(books, Snapshot(orders=(seen,)))
    assert (early.endings, codes(early.findings)) == ((), ["trades_not_seen"])
    whole = differences(books, Snapshot(orders=(seen,), trades=(trade(1),)))
    assert [ending.status for ending in whole.endings] == [S.CANCELED]
    assert [key for key, _ in whole.fills] == [OURS]


def test_fills_that_complete_an_order_end_it_by_themselves() -> None:
    told = Snapshot(orders=(there("closed", filled="2"),), trades=(trade(1), trade(2)))
    found = differences(Books(orders=(our(),)), told)
    assert len(found.fills) == 2
    assert found.endings == ()


def test_an_order_is_known_by_the_id_it_was_sent_with() -> None:
    sent = our(S.SUBMITTED, venue_id="", is_asked=True)
    found = differences(Books(orders=(sent,)), Snapshot(orders=(there(),), trades=(trade(1),)))
    assert found.accepted == ((OURS, "O1"),)
    assert [key for key, _ in found.fills] == [OURS]


def test_a_booked_trade_is_not_booked_again() -> None:
    books = Books(orders=(our(S.FILLED, filled=Decimal(2)),), trades=frozenset({"T1"}))
    found = differences(books, Snapshot(trades=(trade(1),)))
    assert (found.fills, found.findings) == ((), ())


def test_what_was_placed_elsewhere_is_told_and_not_adopted() -> None:
    strange = there(id="O9", client_id="")
    ended = there("canceled", id="O8", client_id="")
    told = Snapshot(orders=(strange, ended), trades=(trade(1, order="O9"),))
    found = differences(Books(orders=(our(),)), told)
    assert codes(found.findings) == ["order_elsewhere", "trade_elsewhere"]
    assert (found.accepted, found.fills, found.endings) == ((), (), ())


@pytest.mark.parametrize(("is_asked", "ends"), [(False, 1), (True, 0)])
def test_an_order_the_exchange_does_not_know_ends_unless_a_call_is_under_way(
    is_asked: bool, ends: int
) -> None:
    books = Books(orders=(our(is_asked=is_asked),))
    assert len(differences(books, Snapshot(missing=frozenset({OURS}))).endings) == ends
    assert differences(books, Snapshot()).endings == (), "nobody asked for it"


def test_a_cancel_that_was_declined_puts_the_order_back_to_work() -> None:
    found = differences(Books(orders=(our(S.PENDING_CANCEL),)), Snapshot(orders=(there(),)))
    assert found.reopened == (OURS,)
    assert codes(found.findings) == ["cancel_declined"]


def money(**amounts: str) -> dict[str, Decimal]:
    return {code: Decimal(amount) for code, amount in amounts.items()}


@pytest.mark.parametrize(
    ("ours", "free", "held", "venue", "flows", "told"),
    [
        (money(USD="5"), money(USD="5"), {}, money(USD="5"), (), []),
        (money(USD="5"), money(USD="5"), {}, money(USD="7"), (("USD", "2"),), ["differed"]),
        (money(USD="5"), money(USD="5"), {}, {}, (("USD", "-5"),), ["differed"]),
        ({}, {}, {}, money(BTC="1"), (("BTC", "1"),), ["differed"]),
        ({}, {}, money(BTC="1"), money(BTC="1"), (), []),
        (
            money(BTC="1"),
            money(BTC="1"),
            money(BTC="1"),
            money(BTC="1"),
            (("BTC", "-1"),),
            ["differed"],
        ),
        (
            money(USD="5"),
            money(USD="2"),
            {},
            money(USD="1"),
            (("USD", "-2"),),
            ["differed", "short"],
        ),
        ({}, {}, money(BTC="1"), {}, (), ["short"]),
        (money(USD="5"), money(USD="5"), {}, None, (), []),
    ],
)
def test_money_becomes_what_the_exchange_has_as_far_as_it_is_free(
    ours: dict[str, Decimal],
    free: dict[str, Decimal],
    held: dict[str, Decimal],
    venue: dict[str, Decimal] | None,
    flows: tuple[tuple[str, str], ...],
    told: list[str],
) -> None:
    found = mirrored(Books(totals=ours, free=free, held=held), venue)
    assert found.flows == tuple(Flow(code, Decimal(amount)) for code, amount in flows)
    assert codes(found.findings) == [f"balance_{word}" for word in told]
