"""How accounts look to clients: what may be written, and what is shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from config.api.fields import PlainDecimal
from trading.brokers import exchanges
from trading.brokers.accounts import Opening
from trading.brokers.credentials import Keys
from trading.brokers.models import Account, AccountLimits, AutoBuy, Balance

CURRENCY = r"^[A-Z0-9.]{2,16}$"
_MOST_BPS = Decimal(1_000)
_WHOLE = Decimal(100)  # percent


class BasisPoints(PlainDecimal):
    """Hundredths of a percent, from 0 to 1,000."""

    default_error_messages = {"out_of_range": "Give basis points from 0 to 1000."}

    def to_internal_value(self, data: Any) -> Decimal:
        value = super().to_internal_value(data)
        if not 0 <= value <= _MOST_BPS:
            self.fail("out_of_range")
        return value


class TermsIn(serializers.Serializer[Any]):
    """What the paper venue charges; orders keep what they were placed on."""

    maker_bps = BasisPoints(required=False)
    taker_bps = BasisPoints(required=False)
    slippage_bps = BasisPoints(required=False)


class AccountIn(TermsIn):
    """`exchange` is one of `brokers/exchanges.py`, by ccxt's name, and goes with its kind."""

    name = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(choices=Account.Kind.choices, default=Account.Kind.PAPER)
    exchange = serializers.CharField(max_length=40, required=False)
    currency = serializers.RegexField(CURRENCY, default="USD")
    cost_method = serializers.ChoiceField(
        choices=Account.CostMethod.choices, default=Account.CostMethod.AVERAGE
    )
    is_default = serializers.BooleanField(default=False)

    def validate_exchange(self, value: str) -> str:
        if value not in exchanges.NAMES:
            raise serializers.ValidationError("No exchange that can be traded at has this name.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["kind"] == Account.Kind.EXCHANGE) != ("exchange" in attrs):
            raise serializers.ValidationError("exchange goes with kind exchange, and only there.")
        return attrs

    def opening(self) -> Opening:
        return Opening(**self.validated_data)


class AccountChangeIn(TermsIn):
    name = serializers.CharField(max_length=80, required=False)
    is_default = serializers.BooleanField(required=False)


class AccountOut(serializers.ModelSerializer[Account]):
    maker_bps = PlainDecimal()
    taker_bps = PlainDecimal()
    slippage_bps = PlainDecimal()

    class Meta:
        model = Account
        fields = (
            "id",
            "name",
            "kind",
            "exchange",
            "currency",
            "cost_method",
            "is_default",
            "status",
            "status_reason",
            "maker_bps",
            "taker_bps",
            "slippage_bps",
            "created_at",
            "updated_at",
        )


class CredentialsIn(serializers.Serializer[Any]):
    """Written, and never read back."""

    api_key = serializers.CharField(max_length=512, write_only=True)
    api_secret = serializers.CharField(max_length=3_000, write_only=True, trim_whitespace=False)
    passphrase = serializers.CharField(max_length=512, default="", allow_blank=True)

    def keys(self) -> Keys:
        data = self.validated_data
        return Keys(data["api_key"], data["api_secret"], data["passphrase"])


class CredentialsOut(serializers.Serializer[Any]):
    """Whether there are any, and since when: nothing of what they are."""

    is_set = serializers.BooleanField()
    updated_at = serializers.DateTimeField(allow_null=True)


class LimitsIn(serializers.Serializer[Any]):
    """In the account's currency; null or absent is no limit."""

    max_daily_loss = PlainDecimal(positive=True, allow_null=True, default=None)
    max_drawdown = PlainDecimal(positive=True, allow_null=True, default=None)


class LimitsOut(serializers.ModelSerializer[AccountLimits]):
    max_daily_loss = PlainDecimal(allow_null=True)
    max_drawdown = PlainDecimal(allow_null=True)
    day_start = PlainDecimal(allow_null=True)
    peak = PlainDecimal(allow_null=True)

    class Meta:
        model = AccountLimits
        fields = ("max_daily_loss", "max_drawdown", "day_on", "day_start", "peak")


class AutoBuyIn(serializers.Serializer[Any]):
    """`notional` in the account's currency for each buy; percentages of the entry's price."""

    is_enabled = serializers.BooleanField(default=False)
    notional = PlainDecimal(positive=True)
    max_open_positions = serializers.IntegerField(min_value=1, max_value=1_000, default=1)
    instruments = serializers.ListField(
        child=serializers.CharField(max_length=32), max_length=200, default=list
    )
    take_profit_percent = PlainDecimal(positive=True, allow_null=True, default=None)
    stop_loss_percent = PlainDecimal(positive=True, allow_null=True, default=None)

    def validate_stop_loss_percent(self, value: Decimal | None) -> Decimal | None:
        if value is not None and value >= _WHOLE:
            raise serializers.ValidationError("A stop loss takes less than 100 percent.")
        return value


class AutoBuyOut(serializers.ModelSerializer[AutoBuy]):
    notional = PlainDecimal()
    take_profit_percent = PlainDecimal(allow_null=True)
    stop_loss_percent = PlainDecimal(allow_null=True)

    class Meta:
        model = AutoBuy
        fields = (
            "is_enabled",
            "notional",
            "max_open_positions",
            "instruments",
            "take_profit_percent",
            "stop_loss_percent",
            "updated_at",
        )


class BalanceOut(serializers.ModelSerializer[Balance]):
    total = PlainDecimal()
    free = PlainDecimal()
    locked = PlainDecimal()

    class Meta:
        model = Balance
        fields = ("currency", "total", "free", "locked")


class MoneyIn(serializers.Serializer[Any]):
    currency = serializers.RegexField(CURRENCY)
    amount = PlainDecimal(positive=True)
