"""How portfolios look to clients: what may be asked, and what is shown."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from config.api.fields import PlainDecimal
from trading.brokers.faces import CURRENCY
from trading.portfolio.profit import By
from trading.portfolio.steps import INTERVALS, RANGES

_MOST_ACCOUNTS = 100


class WorthOut(serializers.Serializer[Any]):
    currency = serializers.CharField()
    cash = PlainDecimal()
    positions_value = PlainDecimal(allow_null=True)
    equity = PlainDecimal(allow_null=True)
    realized_pnl = PlainDecimal()
    unrealized_pnl = PlainDecimal(allow_null=True)
    missing_prices = serializers.ListField(child=serializers.CharField())


class AccountWorthOut(serializers.Serializer[Any]):
    account = serializers.UUIDField(source="account.id")
    name = serializers.CharField(source="account.name")
    worth = WorthOut(many=True)


class PortfolioOut(serializers.Serializer[Any]):
    as_of = serializers.DateTimeField()
    total = WorthOut(many=True)
    accounts = AccountWorthOut(many=True)


class HistoryIn(serializers.Serializer[Any]):
    """Without an interval one is chosen that gives a few hundred points."""

    range = serializers.ChoiceField(choices=list(RANGES), default="1m")
    interval = serializers.ChoiceField(choices=list(INTERVALS), required=False)


class EquityPointOut(serializers.Serializer[Any]):
    """Null where a price is missing; `missing_prices` names the instruments."""

    at = serializers.DateTimeField()
    cash = PlainDecimal()
    positions_value = PlainDecimal(allow_null=True)
    equity = PlainDecimal(allow_null=True)
    missing_prices = serializers.ListField(child=serializers.CharField())


class EquitySeriesOut(serializers.Serializer[Any]):
    currency = serializers.CharField()
    equity_start = PlainDecimal(allow_null=True)
    equity_end = PlainDecimal(allow_null=True)
    points = EquityPointOut(many=True)


class HistoryOut(serializers.Serializer[Any]):
    """Points begin with the first step by which any account had one."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    interval = serializers.CharField()
    currencies = EquitySeriesOut(many=True)


class ProfitIn(serializers.Serializer[Any]):
    """From the last samples by `start` to the last by `end`; without a start, everything."""

    by = serializers.ChoiceField(choices=[by.value for by in By], default=By.ACCOUNT.value)
    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "start" in attrs and "end" in attrs and attrs["end"] < attrs["start"]:
            raise serializers.ValidationError("end lies before start.")
        return attrs


class ProfitLineOut(serializers.Serializer[Any]):
    """`key` is an account's or a position's id, a symbol, or null for money of no position.

    `pnl` = `realized_pnl` + `unrealized_change` − `fees`; `total` is that with `cash_flows`. Null
    where a price is missing at the start or the end.
    """

    key = serializers.CharField(allow_null=True)
    label = serializers.CharField()  # type: ignore[assignment]  # the metaclass takes it out
    currency = serializers.CharField()
    realized_pnl = PlainDecimal()
    unrealized_change = PlainDecimal(allow_null=True)
    fees = PlainDecimal()
    cash_flows = PlainDecimal()
    pnl = PlainDecimal(allow_null=True)
    total = PlainDecimal(allow_null=True)


class ProfitTotalOut(serializers.Serializer[Any]):
    """`equity_end` − `equity_start` = `total`."""

    currency = serializers.CharField(source="line.currency")
    realized_pnl = PlainDecimal(source="line.realized_pnl")
    unrealized_change = PlainDecimal(source="line.unrealized_change", allow_null=True)
    fees = PlainDecimal(source="line.fees")
    cash_flows = PlainDecimal(source="line.cash_flows")
    pnl = PlainDecimal(source="line.pnl", allow_null=True)
    total = PlainDecimal(source="line.total", allow_null=True)
    equity_start = PlainDecimal(allow_null=True)
    equity_end = PlainDecimal(allow_null=True)


class ProfitOut(serializers.Serializer[Any]):
    by = serializers.CharField()
    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField()
    rows = ProfitLineOut(source="statement.lines", many=True)
    totals = ProfitTotalOut(source="statement.totals", many=True)


class NamedPortfolioIn(serializers.Serializer[Any]):
    """`accounts` are some of the caller's own; `initial_capital` in `currency`."""

    name = serializers.CharField(max_length=80)
    initial_capital = PlainDecimal(positive=True)
    currency = serializers.RegexField(CURRENCY, default="USD")
    accounts = serializers.ListField(
        child=serializers.UUIDField(), max_length=_MOST_ACCOUNTS, default=list
    )


class NamedPortfolioChangeIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, required=False)
    initial_capital = PlainDecimal(positive=True, required=False)
    currency = serializers.RegexField(CURRENCY, required=False)
    accounts = serializers.ListField(
        child=serializers.UUIDField(), max_length=_MOST_ACCOUNTS, required=False
    )


class NamedPortfolioOut(serializers.Serializer[Any]):
    """`return_on_capital` = `equity` / `initial_capital` − 1; null where a price is missing."""

    id = serializers.UUIDField(source="portfolio.id")
    name = serializers.CharField(source="portfolio.name")
    initial_capital = PlainDecimal(source="portfolio.initial_capital")
    currency = serializers.CharField(source="portfolio.currency")
    accounts = serializers.ListField(child=serializers.UUIDField())
    worth = WorthOut(many=True)
    equity = PlainDecimal(allow_null=True)
    return_on_capital = PlainDecimal(allow_null=True)
    created_at = serializers.DateTimeField(source="portfolio.created_at")
    updated_at = serializers.DateTimeField(source="portfolio.updated_at")
