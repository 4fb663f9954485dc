"""Bulkhead's columns of an order, for models that keep tenants apart in their own way."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

from django.db import models


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
    time_in_force = models.CharField(max_length=3)
    expires_at = models.DateTimeField(null=True, blank=True)
    post_only = models.BooleanField(default=False)
    client_order_id = models.CharField(max_length=64)
    status = models.CharField(max_length=20)
    status_reason = models.CharField(max_length=64, blank=True)
    filled_quantity = amount(default=Decimal(0))
    average_price = amount(null=True, blank=True)
    fees = amount(default=Decimal(0))
    locked = amount(default=Decimal(0))
    locked_currency = models.CharField(max_length=20)
    matched_through = models.DateTimeField(null=True, blank=True)
    is_resting = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True


def indexes(*tenant: str) -> list[models.Index]:
    """Bulkhead's two indexes for lists, with the tenant's column where there is one."""
    return [
        models.Index(fields=[*tenant, "user_id", "-created_at", "-id"], name="order_of_user"),
        models.Index(fields=[*tenant, "-created_at", "-id"], name="order_newest"),
    ]
