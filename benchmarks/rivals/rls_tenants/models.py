"""Orders behind the package's policy; it adds the tenant's key and the manager."""

from uuid import uuid4

from django.db import models
from django_rls_tenants import RLSProtectedModel
from django_rls_tenants.rls.constraints import RLSConstraint

from benchmarks.rivals.shape import AccountShape, OrderShape, indexes


class Tenant(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid4)


class Account(AccountShape):
    pass


class Order(RLSProtectedModel, OrderShape):
    tenant = models.ForeignKey(Tenant, models.CASCADE, db_index=False)

    class Meta:
        indexes = indexes("tenant")
        constraints = [
            RLSConstraint(field="tenant", name="order_rls", tenant_pk_type="uuid"),
        ]
