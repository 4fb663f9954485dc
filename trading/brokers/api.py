"""`/api/v1/accounts/`: accounts, their money, their keys, and how each is to be run."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.permissions import Trading
from config.api.etags import IF_MATCH, check_match, with_etag
from config.api.pagination import CursorPages
from config.api.parameters import PAGING, check_known
from tenants.fullness import works_when_full
from tenants.viewsets import TenantViewSet
from trading.brokers import accounts, actions, credentials, preferences
from trading.brokers.accounts import Opening
from trading.brokers.faces import (
    AccountChangeIn,
    AccountIn,
    AccountOut,
    AutoBuyIn,
    AutoBuyOut,
    BalanceOut,
    CredentialsIn,
    CredentialsOut,
    LimitsIn,
    LimitsOut,
    MoneyIn,
)
from trading.brokers.models import Account, AccountLimits
from trading.idempotency.api import HEADER, answered

_ALONE: dict[str, Any] = {"pagination_class": None, "filter_backends": [], "filterset_fields": None}


class BalancePages(CursorPages):
    ordering = ("currency", "id")


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
        return answered(request, partial(self._open, given.opening()))

    @extend_schema(responses=AccountOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return with_etag(request, AccountOut(self.get_object()).data)

    @extend_schema(request=AccountChangeIn, responses=AccountOut, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        given = AccountChangeIn(data=request.data)
        given.is_valid(raise_exception=True)
        changed = accounts.change_account(
            account_id=self.get_object().id,
            now=timezone.now(),
            precondition=lambda account: check_match(request, AccountOut(account).data),
            **given.validated_data,
        )
        return with_etag(request, AccountOut(changed).data)

    @extend_schema(responses=BalanceOut(many=True), filters=False)
    @action(detail=True, **{**_ALONE, "pagination_class": BalancePages})
    def balances(self, request: Request, pk: str) -> Response:
        check_known(request, PAGING)
        page = self.paginate_queryset(self.get_object().balances.all())
        return self.get_paginated_response(BalanceOut(page, many=True).data)

    @extend_schema(request=MoneyIn, responses={201: BalanceOut}, parameters=[HEADER])
    @action(detail=True, methods=["post"])
    def deposit(self, request: Request, pk: str) -> Response:
        return self._money(request, actions.deposit)

    @works_when_full
    @extend_schema(request=MoneyIn, responses={201: BalanceOut}, parameters=[HEADER])
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        return self._money(request, actions.withdraw)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        accounts.close_account(account_id=self.get_object().id, now=timezone.now())
        return Response(status=204)

    @extend_schema(responses=CredentialsOut, filters=False)
    @action(detail=True, **_ALONE)
    def credentials(self, request: Request, pk: str) -> Response:
        written = self.get_object().credentials.first()
        when = None if written is None else written.updated_at
        return Response(CredentialsOut({"is_set": written is not None, "updated_at": when}).data)

    @extend_schema(request=CredentialsIn, responses=CredentialsOut)
    @credentials.mapping.put
    def write_credentials(self, request: Request, pk: str) -> Response:
        given = CredentialsIn(data=request.data)
        given.is_valid(raise_exception=True)
        written = credentials.write(
            account_id=self.get_object().id, keys=given.keys(), now=timezone.now()
        )
        return Response(CredentialsOut({"is_set": True, "updated_at": written.updated_at}).data)

    @extend_schema(request=None, responses={204: None})
    @credentials.mapping.delete
    def forget_credentials(self, request: Request, pk: str) -> Response:
        credentials.forget(account_id=self.get_object().id)
        return Response(status=204)

    @extend_schema(responses=LimitsOut, filters=False)
    @action(detail=True, **_ALONE)
    def limits(self, request: Request, pk: str) -> Response:
        return Response(LimitsOut(self.get_object().limits.first() or AccountLimits()).data)

    @extend_schema(request=LimitsIn, responses=LimitsOut)
    @limits.mapping.put
    def write_limits(self, request: Request, pk: str) -> Response:
        given = LimitsIn(data=request.data)
        given.is_valid(raise_exception=True)
        written = preferences.limit(
            account_id=self.get_object().id, now=timezone.now(), **given.validated_data
        )
        return Response(LimitsOut(written).data)

    @extend_schema(responses={200: AutoBuyOut, 204: None}, filters=False)
    @action(detail=True, url_path="auto-buy", **_ALONE)
    def auto_buy(self, request: Request, pk: str) -> Response:
        """204 while nothing has been set."""
        row = self.get_object().auto_buy.first()
        return Response(status=204) if row is None else Response(AutoBuyOut(row).data)

    @extend_schema(request=AutoBuyIn, responses=AutoBuyOut)
    @auto_buy.mapping.put
    def write_auto_buy(self, request: Request, pk: str) -> Response:
        given = AutoBuyIn(data=request.data)
        given.is_valid(raise_exception=True)
        written = preferences.auto_buy(
            account_id=self.get_object().id, now=timezone.now(), **given.validated_data
        )
        return Response(AutoBuyOut(written).data)

    def _open(self, opening: Opening) -> tuple[int, Any]:
        user_id = actions.acting_user()
        account = accounts.open_account(user_id=user_id, opening=opening, now=timezone.now())
        return 201, AccountOut(account).data

    def _money(self, request: Request, move: Any) -> Response:
        given = MoneyIn(data=request.data)
        given.is_valid(raise_exception=True)
        account_id: UUID = self.get_object().id

        def act() -> tuple[int, Any]:
            balance = move(account_id=account_id, now=timezone.now(), **given.validated_data)
            return 201, BalanceOut(balance).data

        return answered(request, act)
