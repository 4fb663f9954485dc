"""What may be asked about positions."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from django.db import models
from django.db.models import (
    Case,
    DecimalField,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from trading.positions.models import Position
from trading.values import Side

# What stands beside a position in tables of its own, by the names of columns of its row.
PERPETUAL = ("leverage", "margin_mode", "liquidation_price", "funding_paid")
BRACKET = ("take_profit", "stop_loss")


def with_terms(rows: QuerySet[Position]) -> QuerySet[Position]:
    """With `perpetual_…` and `bracket_…` read along: null where a position has none.

    They are joined by the tenant as well. The wall alone hides from the planner which tenant it
    is, and so how many rows: of the largest it would read them all again for each position.
    """
    terms = {f"perpetual_{name}": F(f"perpetual_terms__{name}") for name in PERPETUAL}
    terms |= {f"bracket_{name}": F(f"bracket_terms__{name}") for name in BRACKET}
    return rows.annotate(
        perpetual_terms=_of_the_tenant("perpetual"), bracket_terms=_of_the_tenant("bracket")
    ).annotate(**terms)


def _of_the_tenant(relation: str) -> FilteredRelation:
    return FilteredRelation(relation, condition=Q(**{f"{relation}__tenant_id": F("tenant_id")}))


def unbalanced() -> QuerySet[Position]:
    """Positions whose quantity is not the sum of their lots, nor of signed fills less base fees."""
    signed = Case(When(side=Side.BUY, then=F("quantity")), default=-F("quantity"))
    quantity = signed - F("base_fee")
    rows = Position.objects.annotate(
        in_lots=_sum("lots", Sum("remaining")), in_fills=_sum("fills", Sum(quantity))
    )
    return rows.exclude(Q(quantity=F("in_lots")) & Q(quantity=F("in_fills")))


def _sum(relation: str, total: Sum) -> Coalesce:
    """Of one relation's rows; in a subquery, for two joins would multiply."""
    model = cast("type[models.Model]", Position._meta.get_field(relation).related_model)
    rows = model._default_manager.filter(position=OuterRef("pk")).order_by().values("position")
    nothing = Value(Decimal(0), output_field=DecimalField())
    return Coalesce(Subquery(rows.values(total=total).values("total")), nothing)
