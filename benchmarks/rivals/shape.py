"""Bulkhead's columns of an order, for models that keep tenants apart in their own way."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

from django.db import models

from trading.values import exact


def amount(**kwargs: object) -> models.DecimalField:
    return models.DecimalField(max_digits=38, decimal_places=18, **kwargs)


class AccountShape(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4)
    name = models.CharField(max_length=80)

    class Meta:
        abstract = True


class OrderShape(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4)
    user_id = models.UUIDField()
    account = models.ForeignKey(
        "shop.Account", models.PROTECT, related_name="orders", db_constraint=False, db_index=False
    )
    instrument = models.CharField(max_length=32)
    side = models.CharField(max_length=4)
    type = models.CharField(max_length=20)
    quantity = amount()
    notional = amount(null=True, blank=True)
    limit_price = amount(null=True, blank=True)
    stop_price = amount(null=True, blank=True)
    trail_amount = amount(null=True, blank=True)
    trail_percent = amount(null=True, blank=True)
    water_mark = amount(null=True, blank=True)
    time_in_force = models.CharField(max_length=3)
    expires_at = models.DateTimeField(null=True, blank=True)
    post_only = models.BooleanField(default=False)
    reduce_only = models.BooleanField(default=False)
    role = models.CharField(max_length=12, blank=True, default="")
    parent = models.UUIDField(null=True, blank=True, db_column="parent_id")
    group = models.UUIDField(null=True, blank=True)
    replaces = models.UUIDField(null=True, blank=True, db_column="replaces_id")
    replaced_by = models.UUIDField(null=True, blank=True)
    client_order_id = models.CharField(max_length=64)
    digest = models.BinaryField(max_length=32, null=True)
    status = models.CharField(max_length=20)
    status_reason = models.CharField(max_length=64, blank=True)
    filled_quantity = amount(default=Decimal(0))
    sibling_filled = amount(default=Decimal(0))
    average_price = amount(null=True, blank=True)
    fees = amount(default=Decimal(0))
    locked = amount(default=Decimal(0))
    locked_currency = models.CharField(max_length=20)
    reserved = amount(default=Decimal(0))
    top_ups = models.JSONField(default=list)
    maker_bps = amount(default=Decimal(0))
    taker_bps = amount(default=Decimal(0))
    slippage_bps = amount(default=Decimal(0))
    placed_after = models.DateTimeField(null=True, blank=True)
    placed_trade = models.BigIntegerField(null=True, blank=True)
    ended_after = models.DateTimeField(null=True, blank=True)
    ended_trade = models.BigIntegerField(null=True, blank=True)
    matched_through = models.DateTimeField(null=True, blank=True)
    matched_trade = models.BigIntegerField(null=True, blank=True)
    is_resting = models.BooleanField(default=False)
    is_triggered = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True

    @property
    def remaining(self) -> Decimal:
        with exact():
            return self.quantity - self.filled_quantity - self.sibling_filled


def indexes(*tenant: str) -> list[models.Index]:
    """Bulkhead's two indexes for lists, with the tenant's column where there is one."""
    return [
        models.Index(fields=[*tenant, "user_id", "-created_at", "-id"], name="order_of_user"),
        models.Index(fields=[*tenant, "-created_at", "-id"], name="order_newest"),
    ]
