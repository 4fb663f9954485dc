"""What was won and lost between two samples of equity, from the facts between them. Pure.

For every currency: equity at the end − equity at the start = realised + change of unrealised − fees
+ cash flows. Samples give equity and what was unrealised, facts give the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from trading.values import exact

_NONE = Decimal(0)


class By(StrEnum):
    ACCOUNT = "account"
    POSITION = "position"
    INSTRUMENT = "instrument"


@dataclass(frozen=True, slots=True)
class Held:
    """A position in a sample; `value` is None without a price."""

    position_id: str
    instrument: str
    cost: Decimal
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Sample:
    """One currency's side of an account at a moment."""

    account_id: UUID
    currency: str
    cash: Decimal
    held: tuple[Held, ...] = ()

    @property
    def equity(self) -> Decimal | None:
        values = [held.value for held in self.held if held.value is not None]
        with exact():
            return sum(values, self.cash) if len(values) == len(self.held) else None


@dataclass(frozen=True, slots=True)
class Booked:
    """What fills have realised in `currency`, before `fees` in `fee_currency`."""

    account_id: UUID
    position_id: str
    instrument: str
    currency: str
    realized: Decimal
    fee_currency: str
    fees: Decimal


@dataclass(frozen=True, slots=True)
class Flow:
    account_id: UUID
    currency: str
    amount: Decimal


@dataclass(slots=True)
class Line:
    """One row of a statement; None where a price is missing at one of its ends.

    `key` is None for money that belongs to no position.
    """

    key: str | None
    label: str
    currency: str
    realized_pnl: Decimal = _NONE
    unrealized_change: Decimal | None = _NONE
    fees: Decimal = _NONE
    cash_flows: Decimal = _NONE

    @property
    def pnl(self) -> Decimal | None:
        if self.unrealized_change is None:
            return None
        with exact():
            return self.realized_pnl + self.unrealized_change - self.fees

    @property
    def total(self) -> Decimal | None:
        """With the cash flows: what equity has changed by."""
        with exact():
            return None if self.pnl is None else self.pnl + self.cash_flows


@dataclass(frozen=True, slots=True)
class Total:
    """The lines of one currency together, beside the equity that they lead from and to."""

    line: Line
    equity_start: Decimal | None
    equity_end: Decimal | None


@dataclass(frozen=True, slots=True)
class Statement:
    lines: list[Line] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)


@exact()
def statement(
    by: By,
    start: Iterable[Sample],
    end: Iterable[Sample],
    booked: Iterable[Booked],
    flows: Iterable[Flow],
    *,
    names: Mapping[UUID, str],
) -> Statement:
    """The statement between two samples of each account; `names` are those of the accounts."""
    start, end = list(start), list(end)
    book = _Book(by, names)
    for sign, samples in ((-1, start), (1, end)):
        for sample in samples:
            book.unrealized(sample, sign)
    for fact in booked:
        key = book.key(fact.account_id, fact.position_id, fact.instrument)
        book.line(key, fact.currency).realized_pnl += fact.realized
        book.line(key, fact.fee_currency).fees += fact.fees
    for flow in flows:
        book.line(book.key(flow.account_id), flow.currency).cash_flows += flow.amount
    lines = sorted(book.lines.values(), key=lambda row: (row.currency, row.label, row.key or ""))
    currencies = sorted({row.currency for row in lines})
    return Statement(lines, [_total(currency, lines, start, end) for currency in currencies])


class _Book:
    """The lines of a statement, each made when first written to."""

    def __init__(self, by: By, names: Mapping[UUID, str]) -> None:
        self.lines: dict[tuple[str | None, str], Line] = {}
        self._by, self._names = by, names

    def key(
        self, account_id: UUID, position_id: str | None = None, instrument: str | None = None
    ) -> tuple[str | None, str]:
        """Key and label of what the line is about."""
        if self._by is By.ACCOUNT:
            return str(account_id), self._names.get(account_id, "")
        if instrument is None:
            return None, "cash"
        return (position_id if self._by is By.POSITION else instrument), instrument

    def line(self, key: tuple[str | None, str], currency: str) -> Line:
        return self.lines.setdefault((key[0], currency), Line(*key, currency))

    def unrealized(self, sample: Sample, sign: int) -> None:
        self.line(self.key(sample.account_id), sample.currency)  # even if nothing happened
        for held in sample.held:
            key = self.key(sample.account_id, held.position_id, held.instrument)
            line = self.line(key, sample.currency)
            if held.value is None or line.unrealized_change is None:
                line.unrealized_change = None
            else:
                line.unrealized_change += sign * (held.value - held.cost)


def _total(currency: str, lines: list[Line], start: list[Sample], end: list[Sample]) -> Total:
    ours = [line for line in lines if line.currency == currency]
    changes = [line.unrealized_change for line in ours if line.unrealized_change is not None]
    together = Line(
        None,
        "total",
        currency,
        realized_pnl=sum((line.realized_pnl for line in ours), _NONE),
        unrealized_change=sum(changes, _NONE) if len(changes) == len(ours) else None,
        fees=sum((line.fees for line in ours), _NONE),
        cash_flows=sum((line.cash_flows for line in ours), _NONE),
    )
    return Total(together, _equity(currency, start), _equity(currency, end))


def _equity(currency: str, samples: list[Sample]) -> Decimal | None:
    ours = [sample.equity for sample in samples if sample.currency == currency]
    known = [equity for equity in ours if equity is not None]
    return sum(known, _NONE) if len(known) == len(ours) else None
