"""`/api/v1/accounts/`: accounts, balances, deposits and withdrawals."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.permissions import Trading
from config.api.etags import IF_MATCH, check_match, with_etag
from config.api.fields import PlainDecimal
from tenants.viewsets import TenantViewSet
from trading.brokers import actions
from trading.brokers.models import Account, Balance
from trading.idempotency.api import HEADER, answered

CURRENCY = r"^[A-Z0-9.]{2,16}$"


class AccountIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(choices=Account.Kind.choices, default=Account.Kind.PAPER)
    currency = serializers.RegexField(CURRENCY, default="USD")
    cost_method = serializers.ChoiceField(
        choices=Account.CostMethod.choices, default=Account.CostMethod.AVERAGE
    )
    is_default = serializers.BooleanField(default=False)


class AccountChangeIn(serializers.Serializer[Any]):
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
            "currency",
            "cost_method",
            "is_default",
            "status",
            "maker_bps",
            "taker_bps",
            "slippage_bps",
            "created_at",
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


class AccountViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TenantViewSet):
    """The caller's brokerage accounts."""

    model = Account
    permission_classes = [Trading]
    serializer_class = AccountOut
    filterset_fields = ("kind", "currency", "status", "is_default")
    ordering_fields = ("created_at", "name")
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"

    @extend_schema(request=AccountIn, responses={201: AccountOut}, parameters=[HEADER])
    def create(self, request: Request) -> Response:
        given = AccountIn(data=request.data)
        given.is_valid(raise_exception=True)
        data = {key: value for key, value in given.validated_data.items() if key != "kind"}
        return answered(request, partial(self._open, data))

    @extend_schema(responses=AccountOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return with_etag(AccountOut(self.get_object()).data)

    @extend_schema(request=AccountChangeIn, responses=AccountOut, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        given = AccountChangeIn(data=request.data)
        given.is_valid(raise_exception=True)
        changed = actions.change_account(
            account_id=self.get_object().id,
            now=timezone.now(),
            precondition=lambda account: check_match(request, AccountOut(account).data),
            **given.validated_data,
        )
        return with_etag(AccountOut(changed).data)

    @extend_schema(responses=BalanceOut(many=True), filters=False)
    @action(detail=True, pagination_class=None, filter_backends=[], filterset_fields=None)
    def balances(self, request: Request, pk: str) -> Response:
        rows = self.get_object().balances.order_by("currency")
        return Response(BalanceOut(rows, many=True).data)

    @extend_schema(request=MoneyIn, responses={201: BalanceOut}, parameters=[HEADER])
    @action(detail=True, methods=["post"])
    def deposit(self, request: Request, pk: str) -> Response:
        return self._money(request, actions.deposit)

    @extend_schema(request=MoneyIn, responses={201: BalanceOut}, parameters=[HEADER])
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        return self._money(request, actions.withdraw)

    def _open(self, data: dict[str, Any]) -> tuple[int, Any]:
        user_id = actions.acting_user()
        account = actions.open_account(user_id=user_id, now=timezone.now(), **data)
        return 201, AccountOut(account).data

    def _money(self, request: Request, move: Any) -> Response:
        given = MoneyIn(data=request.data)
        given.is_valid(raise_exception=True)
        account_id: UUID = self.get_object().id

        def act() -> tuple[int, Any]:
            balance = move(account_id=account_id, now=timezone.now(), **given.validated_data)
            return 201, BalanceOut(balance).data

        return answered(request, act)
