"""What accounts were worth at moments of the clock, and named sets of accounts with a capital."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from tenants.ownership import TenantForeignKey, UserOwned
from trading.brokers.models import Account
from trading.fields import AmountField


class EquityPoint(UserOwned):
    """One currency's side of an account at a moment: what history is read from.

    All currencies of an account are written together. Facts (cash movements and fills) have ids
    that are given under the account's lock: a point counts those before `through`, whatever the
    clocks of two servers say. Within its minute the next one overwrites it, later nothing does; old
    moments are thinned out as a whole (`thinning.py`).
    `holdings` maps a position to its instrument, cost and value; without a price the value is null.
    """

    account = TenantForeignKey(Account, related_name="equity_points")
    at = models.DateTimeField()
    minute = models.DateTimeField()
    through = models.UUIDField()
    currency = models.CharField(max_length=20)
    cash = AmountField()
    cost_basis = AmountField()
    positions_value = AmountField(null=True, blank=True)
    missing = models.JSONField(default=list)
    holdings = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "account", "currency", "minute"],
                name="equity_point_is_one_per_minute",
            ),
            models.CheckConstraint(
                name="equity_point_missing_a_price_has_no_value",
                condition=Q(missing=[], positions_value__isnull=False)
                | (~Q(missing=[]) & Q(positions_value=None)),
            ),
            models.CheckConstraint(
                name="equity_point_cash_and_cost_are_not_negative",
                condition=Q(cash__gte=0, cost_basis__gte=0),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "account", "-at"], name="equity_point_newest"),
            models.Index(fields=["tenant_id", "through"], name="equity_point_through"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} at {self.at:%Y-%m-%d %H:%M}"


class NamedPortfolio(UserOwned):
    """Some of a person's accounts under a name, measured against a capital of their own."""

    name = models.CharField(max_length=80)
    initial_capital = AmountField()
    currency = models.CharField(max_length=20)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "id", "user_id"], name="portfolio_of_its_owner"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "user_id", "name"], name="portfolio_name_is_unique"
            ),
            models.CheckConstraint(
                name="portfolio_capital_is_positive",
                condition=Q(initial_capital__gt=Decimal(0)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant_id", "user_id", "-created_at", "-id"], name="portfolio_of_user"
            ),
            models.Index(fields=["tenant_id", "-created_at", "-id"], name="portfolio_newest"),
        ]

    def __str__(self) -> str:
        return self.name


class NamedPortfolioAccount(UserOwned):
    """That an account belongs to a named portfolio; it may belong to several."""

    portfolio = TenantForeignKey(NamedPortfolio, related_name="memberships")
    account = TenantForeignKey(Account, related_name="portfolio_memberships")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "portfolio", "account"], name="portfolio_account_is_there_once"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "account"], name="portfolio_account_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} in {self.portfolio_id}"
