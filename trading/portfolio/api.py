"""`/api/v1/portfolio/…` and `/api/v1/portfolios/`: what everything is worth, was, and has won."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access.permissions import Trading
from config.api.etags import IF_MATCH, check_match, with_etag
from config.api.parameters import asked_for
from config.api.schema import refused_with
from tenants.viewsets import TenantViewSet
from trading.brokers import actions as brokers
from trading.idempotency.api import HEADER, answered
from trading.portfolio import actions, history, queries
from trading.portfolio.errors import TooManyPoints, TooManyRows
from trading.portfolio.faces import (
    HistoryIn,
    HistoryOut,
    NamedPortfolioChangeIn,
    NamedPortfolioIn,
    NamedPortfolioOut,
    PortfolioOut,
    ProfitIn,
    ProfitOut,
)
from trading.portfolio.history import History
from trading.portfolio.models import NamedPortfolio
from trading.portfolio.profit import By


class PortfolioView(APIView):
    permission_classes = [Trading]

    @extend_schema(responses=PortfolioOut, operation_id="portfolio")
    def get(self, request: Request) -> Response:
        return Response(PortfolioOut(queries.portfolio(now=timezone.now())).data)


class HistoryView(APIView):
    """Equity at any interval, of the caller's accounts together."""

    permission_classes = [Trading]

    @refused_with(TooManyPoints)
    @extend_schema(parameters=[HistoryIn], responses=HistoryOut, operation_id="portfolio_history")
    def get(self, request: Request) -> Response:
        asked = asked_for(HistoryIn, request)
        found = history.history(
            span=asked["range"], interval=asked.get("interval"), now=timezone.now()
        )
        return Response(HistoryOut({**_ends(found), "currencies": _series(found)}).data)


class ProfitView(APIView):
    """What was won and lost between two moments; its totals lead from one equity to the other."""

    permission_classes = [Trading]

    @refused_with(TooManyRows)
    @extend_schema(parameters=[ProfitIn], responses=ProfitOut, operation_id="portfolio_pnl")
    def get(self, request: Request) -> Response:
        asked = asked_for(ProfitIn, request)
        found = history.profits(
            by=By(asked["by"]), start=asked.get("start"), end=asked.get("end", timezone.now())
        )
        return Response(ProfitOut(found).data)


class NamedPortfolioViewSet(TenantViewSet):
    """The caller's named portfolios."""

    model = NamedPortfolio
    permission_classes = [Trading]
    serializer_class = NamedPortfolioOut
    filterset_fields = ("name", "currency")
    ordering_fields = ("created_at", "name")
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.prefetch_related("memberships")

    @extend_schema(responses=NamedPortfolioOut(many=True))
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(_shown(page or []))

    @extend_schema(
        request=NamedPortfolioIn, responses={201: NamedPortfolioOut}, parameters=[HEADER]
    )
    def create(self, request: Request) -> Response:
        given = NamedPortfolioIn(data=request.data)
        given.is_valid(raise_exception=True)

        def act() -> tuple[int, Any]:
            made = actions.create_portfolio(
                user_id=brokers.acting_user(), now=timezone.now(), **given.validated_data
            )
            return 201, _shown([made])[0]

        return answered(request, act)

    @extend_schema(responses=NamedPortfolioOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        found = self.get_object()
        return with_etag(request, _shown([found])[0], version=_version(found))

    @extend_schema(
        request=NamedPortfolioChangeIn, responses=NamedPortfolioOut, parameters=[IF_MATCH]
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        given = NamedPortfolioChangeIn(data=request.data)
        given.is_valid(raise_exception=True)
        changed = actions.change_portfolio(
            portfolio_id=self.get_object().id,
            precondition=lambda named: check_match(request, _version(named)),
            now=timezone.now(),
            **given.validated_data,
        )
        return with_etag(request, _shown([changed])[0], version=_version(changed))

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        actions.delete_portfolio(portfolio_id=self.get_object().id)
        return Response(status=204)


def _ends(found: History) -> dict[str, Any]:
    return {"start": found.start, "end": found.end, "interval": found.interval}


def _series(found: History) -> list[dict[str, Any]]:
    return [
        {
            "currency": currency,
            "equity_start": points[0].equity,
            "equity_end": points[-1].equity,
            "points": points,
        }
        for currency, points in found.currencies.items()
    ]


def _version(named: NamedPortfolio) -> dict[str, Any]:
    """What a person can change: a new price makes no new version."""
    return {"id": str(named.id), "updated_at": named.updated_at.isoformat()}


def _shown(named: list[NamedPortfolio]) -> Any:
    """Representations with one look at the books for all of them."""
    return NamedPortfolioOut(queries.named_worths(named), many=True).data
