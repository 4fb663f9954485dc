"""What may be asked about the past: equity at its samples, and what lies between two of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    DateTimeField,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    Window,
)
from django.db.models.functions import RowNumber

from trading.brokers.models import Account, CashMovement
from trading.orders.models import Fill
from trading.portfolio import profit, queries, steps
from trading.portfolio.errors import TooManyPoints, TooManyRows
from trading.portfolio.models import EquityPoint
from trading.portfolio.profit import Booked, By, Flow, Held, Sample, Statement
from trading.portfolio.steps import Point, Seen
from trading.positions.priced import quote_currencies

MOST_LINES = 1_000
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class History:
    start: datetime
    end: datetime
    interval: str
    currencies: dict[str, list[Point]]


@dataclass(frozen=True, slots=True)
class Profit:
    """`start` is None for everything from the beginning."""

    by: By
    start: datetime | None
    end: datetime
    statement: Statement


def history(*, span: str, interval: str | None, now: datetime) -> History:
    """The caller's equity over a range, sampled; one of `steps.RANGES` and of `steps.INTERVALS`.

    At each step the last point of every account by then. Raises TooManyPoints.
    """
    length = steps.RANGES[span]
    start = _beginning(now) if length is None else now - length
    chosen = interval or steps.interval_for(now - start)
    if steps.count(start, now, steps.INTERVALS[chosen]) > steps.MOST:
        raise TooManyPoints(f"At most {steps.MOST}.")
    moments = steps.steps(start, now, steps.INTERVALS[chosen])
    seen = [*(_seen(point, 0) for point in as_of(start)), *_seen_between(moments)]
    return History(start, now, chosen, steps.told(moments, seen))


def profits(*, by: By, start: datetime | None, end: datetime) -> Profit:
    """What the caller's accounts won and lost between their last points by `start` and by `end`.

    Raises TooManyRows.
    """
    before = [] if start is None else list(as_of(start))
    after = list(as_of(end))
    between = _windows(before, after)
    told = profit.statement(
        by,
        map(_sample, before),
        map(_sample, after),
        _booked(between),
        _flows(between),
        names=dict(Account.objects.filter(queries.own()).values_list("id", "name")),
    )
    if len(told.lines) > MOST_LINES:
        raise TooManyRows(f"At most {MOST_LINES}: ask for a shorter time, or by account.")
    return Profit(by, start, end, told)


def as_of(moment: datetime) -> QuerySet[EquityPoint]:
    """The last point of each of the caller's accounts by a moment, in each currency."""
    points = EquityPoint.objects.filter(account=OuterRef("pk"), at__lte=moment).order_by("-at")
    accounts = Account.objects.filter(queries.own())
    newest = accounts.annotate(newest=Subquery(points.values("through")[:1]))
    known = newest.exclude(newest=None).values_list("newest", flat=True)
    return EquityPoint.objects.filter(through__in=list(known)).order_by("account_id", "currency")


def _beginning(now: datetime) -> datetime:
    """The first point of any account; now where there is none."""
    first = EquityPoint.objects.filter(queries.own()).order_by("at").values_list("at", flat=True)
    return min(first.first() or now, now)


def _seen_between(moments: list[datetime]) -> Iterable[Seen]:
    """The last points before each step, in one statement; a step without one is left out."""
    # width_bucket counts the thresholds at or below: a point on a step is to count for it.
    passed = Value(
        [moment + _INSTANT for moment in moments], output_field=ArrayField(DateTimeField())
    )
    step = Func(F("at"), passed, function="width_bucket", output_field=IntegerField())
    place = Window(
        RowNumber(),
        partition_by=[F("account_id"), F("currency"), F("step")],
        order_by=F("at").desc(),
    )
    rows = EquityPoint.objects.filter(queries.own(), at__gt=moments[0], at__lte=moments[-1])
    last = rows.defer("holdings").annotate(step=step).annotate(place=place).filter(place=1)
    return [_seen(point, point.step) for point in last]


def _seen(point: EquityPoint, step: int) -> Seen:
    side = (point.account_id, point.currency)
    return Seen(step, side, point.cash, point.positions_value, tuple(point.missing))


def _sample(point: EquityPoint) -> Sample:
    held = tuple(
        Held(position_id, symbol, Decimal(cost), None if value is None else Decimal(value))
        for position_id, (symbol, cost, value) in point.holdings.items()
    )
    return Sample(point.account_id, point.currency, point.cash, held)


def _windows(before: Iterable[EquityPoint], after: Iterable[EquityPoint]) -> Q | None:
    """The facts that the second points count and the first do not; None where there are none.

    By the facts' ids, which are given under the account's lock, as a point's `through` is.
    """
    starts = {point.account_id: point.through for point in before}
    ends = {point.account_id: point.through for point in after}
    chosen: Q | None = None
    for account_id, through in ends.items():
        one = Q(account=account_id, id__lt=through)
        if account_id in starts:
            one &= Q(id__gt=starts[account_id])
        chosen = one if chosen is None else chosen | one
    return chosen


def _booked(between: Q | None) -> list[Booked]:
    if between is None:
        return []
    keys = ("account_id", "position_id", "instrument", "fee_currency")
    sums = {"realized": Sum("realized_pnl"), "fees": Sum("fee")}
    rows = list(Fill.objects.filter(between).values(*keys).annotate(**sums).order_by(*keys))
    quoted = quote_currencies(row["instrument"] for row in rows)
    return [
        Booked(
            account_id=row["account_id"],
            position_id=str(row["position_id"]),
            instrument=row["instrument"],
            currency=quoted[row["instrument"]],
            realized=row["realized"],
            fee_currency=row["fee_currency"],
            fees=row["fees"],
        )
        for row in rows
    ]


def _flows(between: Q | None) -> list[Flow]:
    if between is None:
        return []
    keys: tuple[str, str] = ("account_id", "currency")
    rows: QuerySet[CashMovement, tuple[UUID, str, Decimal]]
    rows = CashMovement.objects.filter(between).values_list(*keys).annotate(Sum("amount"))
    return [Flow(*row) for row in rows.order_by(*keys)]
