"""A run whose result is known, through history, matching, fees and positions together.

SMA 10/20 cross on GOOG, long only, 10,000 to start, 0.1 % fee, signal at the close, bought at the
next open with all there is, whole shares; the last trade is closed at the last close.
"""

from __future__ import annotations

from decimal import Decimal

from tests.trading.examples import an_order, terms
from tests.trading.positions.lots import fold_fifo
from trading.market.bars import Bar
from trading.market.history import catalogue
from trading.orders.costs import Costs, fee
from trading.orders.matching import match
from trading.positions import pnl
from trading.values import Increments, Liquidity, Side

TENTH_OF_A_PERCENT = Costs(taker_bps=Decimal(10))
WHOLE_SHARES = Increments(price=Decimal("0.01"), quantity=Decimal(1))


def test_sma_cross_on_google_ends_with_the_known_equity() -> None:
    google = catalogue.find("GOOG")
    assert google is not None
    bars = list(catalogue.bars(google, "1d"))
    cash, fills = _traded(bars)
    assert cash == Decimal("69267.40865")
    assert len([fill for fill in fills if fill.side is Side.SELL]) == 47
    holding = pnl.fold(fills)
    assert cash == 10_000 + holding.realized_pnl - holding.fees
    assert fold_fifo(fills).realized_pnl == holding.realized_pnl


def _traded(bars: list[Bar]) -> tuple[Decimal, list[pnl.HoldingFill]]:
    cash, held, fills = Decimal(10_000), Decimal(0), list[pnl.HoldingFill]()
    for known, bar in enumerate(bars):
        side = _signal(bars[:known])
        if side is None or (side is Side.BUY) == bool(held):
            continue
        fill = _filled(side, cash, held, bar)
        cash, held = _booked(fill, cash, held)
        fills.append(fill)
    if held:
        fills.append(_closed(held, bars[-1].close))
        cash, held = _booked(fills[-1], cash, held)
    return cash, fills


def _signal(past: list[Bar]) -> Side | None:
    if len(past) < 21:
        return None
    before, now = _lead(past[-21:-1]), _lead(past[-20:])
    if before <= 0 < now:
        return Side.BUY
    return Side.SELL if before >= 0 > now else None


def _lead(twenty: list[Bar]) -> Decimal:
    """How far the mean of the last 10 closes is above that of the last 20."""
    closes = [bar.close for bar in twenty]
    return sum(closes[10:], Decimal(0)) / 10 - sum(closes, Decimal(0)) / 20


def _filled(side: Side, cash: Decimal, held: Decimal, bar: Bar) -> pnl.HoldingFill:
    order = an_order(side=side, remaining=held or Decimal(1_000), spendable=cash)
    on = terms(TENTH_OF_A_PERCENT, increments=WHOLE_SHARES)
    (done,) = match([order], bar, on).executions
    return pnl.HoldingFill(done.side, done.quantity, done.price, done.fee)


def _closed(held: Decimal, price: Decimal) -> pnl.HoldingFill:
    return pnl.HoldingFill(
        Side.SELL, held, price, fee(held * price, Liquidity.TAKER, TENTH_OF_A_PERCENT)
    )


def _booked(fill: pnl.HoldingFill, cash: Decimal, held: Decimal) -> tuple[Decimal, Decimal]:
    sign = 1 if fill.side is Side.SELL else -1
    return cash + sign * fill.quantity * fill.price - fill.fee, held - sign * fill.quantity
