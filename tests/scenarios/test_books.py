"""Rows that no books may hold: each named constraint refuses one, in both tiers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, models
from django.db.models import F

from tenants.identifiers import new_id
from tests.cast import House, job, now
from tests.market import Market, list_instrument
from tests.scenarios.test_first_trade import open_account
from tests.scenarios.test_order_types import holding, place
from trading.market.models import Candle
from trading.models import Balance, CashMovement, EquityPoint, Fill, Order, Position, PositionLot

Rows = models.QuerySet[Any]
Wrong = Callable[[Rows], object]
BOOKS = (Balance, CashMovement, Order, Fill, Position, PositionLot, EquityPoint, Candle)


def changed(**values: Any) -> Wrong:
    """The rows, changed past Python's own rules."""
    return lambda rows: rows.update(**values)


def again(**values: Any) -> Wrong:
    """One of the rows a second time, under a key of its own."""

    def insert(rows: Rows) -> None:
        row = rows[0]
        row.pk = new_id()
        for name, value in values.items():
            setattr(row, name, value)
        row.save(force_insert=True)

    return insert


WRONG: list[tuple[str, type[models.Model], Wrong]] = [
    ("balance_is_one_per_currency", Balance, again()),
    ("balance_total_is_free_plus_locked", Balance, changed(total=F("total") + 1)),
    ("balance_is_not_negative", Balance, changed(free=-1, total=F("locked") - 1)),
    ("cash_movement_is_not_zero", CashMovement, again(amount=Decimal(0))),
    ("order_client_order_id_is_unique", Order, again(replaces=None)),
    ("order_quantity_is_positive", Order, changed(quantity=0)),
    ("order_filled_not_over_quantity", Order, changed(filled_quantity=F("quantity") + 1)),
    ("order_filled_not_over_quantity", Order, changed(filled_quantity=-1)),
    ("order_filled_not_over_quantity", Order, changed(sibling_filled=F("quantity") + 1)),
    ("order_limit_has_a_price", Order, changed(limit_price=None)),
    ("order_stop_has_a_price", Order, changed(type="stop")),
    ("order_trails_by_amount_or_percent", Order, changed(type="trailing_stop")),
    ("order_leg_has_a_group", Order, changed(parent=F("pk"))),
    ("order_is_replaced_once", Order, again(client_order_id="another")),
    ("order_costs_are_not_negative", Order, changed(maker_bps=-1)),
    ("order_trade_has_its_moment", Order, changed(ended_trade=7, ended_after=None)),
    ("order_lock_is_not_negative", Order, changed(locked=-1)),
    ("order_locks_nothing_when_done", Order, changed(status="canceled")),
    ("fill_is_applied_once", Fill, again()),
    ("fill_quantity_and_price_are_positive", Fill, again(trade_id="2", quantity=Decimal(0))),
    ("fill_quantity_and_price_are_positive", Fill, again(trade_id="2", price=Decimal(0))),
    ("fill_base_fee_is_within_quantity", Fill, again(trade_id="2", base_fee=Decimal(-1))),
    ("fill_base_fee_is_within_quantity", Fill, again(trade_id="2", base_fee=Decimal(10**9))),
    ("position_open_is_one", Position, again()),
    ("position_lock_is_within_quantity", Position, changed(locked_quantity=F("quantity") + 1)),
    ("position_lock_is_within_quantity", Position, changed(quantity=-1)),
    ("position_is_flat_when_closed", Position, changed(closed_at=now())),
    ("position_is_closed_by_something_once_closed", Position, changed(closed_by="order")),
    ("position_reference_price_is_positive", Position, changed(opened_reference_price=0)),
    ("lot_is_one_per_fill", PositionLot, again()),
    ("lot_quantity_and_price_are_positive", PositionLot, changed(quantity=0, remaining=0)),
    ("lot_remaining_within_quantity", PositionLot, changed(remaining=F("quantity") + 1)),
    ("equity_point_is_one_per_minute", EquityPoint, again()),
    ("equity_point_missing_a_price_has_no_value", EquityPoint, changed(missing=["X/USD"])),
    ("equity_point_missing_a_price_has_no_value", EquityPoint, changed(positions_value=None)),
    ("equity_point_cash_and_cost_are_not_negative", EquityPoint, changed(cash=-1)),
    ("candle_high_is_highest", Candle, changed(high=F("low"), close=F("low") + 1)),
    ("candle_low_is_lowest", Candle, changed(low=F("high"), open=F("high") - 1)),
    ("candle_price_is_positive_and_volume_is_not_negative", Candle, changed(volume=-1)),
]


@pytest.fixture
def market() -> Market:
    market = list_instrument()
    market.print_bar(open="100", high="101", low="99", close="100")
    return market


def ours(model: type[models.Model], account: str, market: Market) -> Rows:
    """An account's rows; of its orders the open one, which has replaced another."""
    if model is Candle:
        return Candle.objects.filter(symbol=market.symbol)
    if model is PositionLot:
        return PositionLot.objects.filter(position__account=account)
    rows = model._default_manager.filter(account=account)
    return rows.exclude(replaces=None) if model is Order else rows


@contextmanager
def refusals(told: dict[str, set[str]], name: str) -> Iterator[None]:
    """Note which constraint refused what was meant for one of this name."""
    refused = "nothing"
    try:
        yield
    except IntegrityError as fault:
        refused = str(fault.__cause__.diag.constraint_name)
    told.setdefault(name, set()).add(refused)


def test_each_constraint_of_the_books_refuses_a_wrong_row(house: House, market: Market) -> None:
    alice, account = house.alice, open_account(house.alice)
    holding(alice, account, market)
    resting = {"side": "buy", "type": "limit", "quantity": "1"}
    order = place(alice, account, market, **resting, limit_price="50")
    answer = alice.request("PATCH", f"orders/{order['id']}/", {"limit_price": "60"})
    assert answer.status_code == 200, answer.json()
    told: dict[str, set[str]] = {}
    for name, model, make in WRONG:
        where = nullcontext() if model is Candle else job(house.tenant)
        with refusals(told, name), where:
            make(ours(model, account, market))
    assert told == {name: {name} for name, _, _ in WRONG}


def test_no_constraint_of_the_books_is_left_out() -> None:
    """But for the keys with the owner: no row contradicts one, for its id is unique already."""
    kinds = (models.CheckConstraint, models.UniqueConstraint)
    rules = [c for model in BOOKS for c in model._meta.constraints if isinstance(c, kinds)]
    named = {rule.name for rule in rules if "id" not in getattr(rule, "fields", ())}
    assert named == {name for name, _, _ in WRONG}
