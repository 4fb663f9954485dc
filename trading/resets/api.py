"""`/api/v1/accounts/{id}/reset/`: a paper account starts over."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.permissions import Trading
from config.api.fields import PlainDecimal
from tenants.viewsets import TenantViewSet
from trading.brokers.faces import CURRENCY, AccountOut
from trading.brokers.models import Account
from trading.idempotency.api import HEADER, answered
from trading.resets import actions


class ResetIn(serializers.Serializer[Any]):
    """What the account holds afterwards; without an amount, nothing."""

    currency = serializers.RegexField(CURRENCY, default="USD")
    amount = PlainDecimal(positive=True, required=False)


class ResetViewSet(TenantViewSet):
    """The caller's paper accounts, one started over at a time."""

    model = Account
    permission_classes = [Trading]
    serializer_class = AccountOut

    @extend_schema(request=ResetIn, responses=AccountOut, parameters=[HEADER])
    def reset(self, request: Request, pk: str) -> Response:
        given = ResetIn(data=request.data)
        given.is_valid(raise_exception=True)
        account_id, data = self.get_object().id, given.validated_data

        def act() -> tuple[int, Any]:
            account = actions.reset(
                account_id=account_id,
                currency=data["currency"],
                amount=data.get("amount", Decimal(0)),
                now=timezone.now(),
            )
            return 200, AccountOut(account).data

        return answered(request, act)
