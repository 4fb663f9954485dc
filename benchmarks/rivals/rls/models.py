"""Orders behind the package's policy, with a key that is a UUID."""

from uuid import uuid4

from django.db import models
from django.db.models import Q, UUIDField
from django_rls.models import RLSModel
from django_rls.policies import RLS, ModelPolicy

from benchmarks.rivals.shape import AccountShape, OrderShape, indexes


class Tenant(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4)


class Account(AccountShape):
    pass


class Order(RLSModel, OrderShape):
    tenant = models.ForeignKey(Tenant, models.CASCADE, db_index=False)

    class Meta:
        indexes = indexes("tenant")
        rls_policies = [
            ModelPolicy("tenant", filters=Q(tenant_id=RLS.context("tenant_id", UUIDField()))),
        ]
