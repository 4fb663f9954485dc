"""`/api/v1/accounts/{id}/reconciliations/`: an account beside its exchange."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.permissions import Trading
from config.api.pagination import CursorPages
from tenants.fullness import works_when_full
from tenants.viewsets import TenantViewSet
from trading.brokers.models import Account
from trading.venues import actions
from trading.venues.models import Reconciliation


class ReconciliationOut(serializers.ModelSerializer[Reconciliation]):
    """What was found, and so put right; each finding has a `code` and what it is about."""

    findings = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))

    class Meta:
        model = Reconciliation
        fields = ("id", "account", "reason", "state", "findings", "at")


class ReconciliationPages(CursorPages):
    ordering = ("-at", "-id")


class ReconciliationViewSet(TenantViewSet):
    """What became of comparing one of the caller's accounts with its exchange."""

    model = Account
    permission_classes = [Trading]
    serializer_class = ReconciliationOut
    pagination_class = ReconciliationPages
    filter_backends: list[Any] = []

    @extend_schema(responses=ReconciliationOut(many=True))
    def reconciliations(self, request: Request, pk: str) -> Response:
        page = self.paginate_queryset(self.get_object().reconciliations.all())
        return self.get_paginated_response(ReconciliationOut(page or [], many=True).data)

    @works_when_full
    @extend_schema(request=None, responses={202: None})
    def ask(self, request: Request, pk: str) -> Response:
        """Have it compared now; the report follows in the list."""
        actions.ask(account_id=self.get_object().id)
        return Response(status=202)
