"""What was done in a tenant, by whom; and the chain that shows when somebody changed it since."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Concat

from tenants.ownership import TenantOwned


def _named(kind: str) -> Concat:
    """The name of an actor who is the person `actor_id`; NULL without one."""
    person = Cast("actor_id", models.CharField())
    return Concat(models.Value(kind), person, output_field=models.CharField())


class AuditEvent(TenantOwned):
    """One thing done. `actor` is the context's, `actor_id` the person behind it; a job has none."""

    append_only = True
    owner_column = "actor_id"

    at = models.DateTimeField()
    actor = models.CharField(max_length=120)
    actor_id = models.UUIDField(null=True, blank=True)
    action = models.CharField(max_length=64)
    kind = models.CharField(max_length=64, blank=True)
    key = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            # Nobody signs with another's name. Whose a key is, the person behind it says.
            models.CheckConstraint(
                name="audit_actor_is_the_person",
                condition=Q(actor_id__isnull=True, actor__startswith="system:")
                | Q(actor_id__isnull=False)
                & (
                    Q(actor__startswith="key:")
                    | Q(actor=_named("user:"))
                    | Q(actor=_named("support:"))
                ),
            )
        ]
        indexes = [
            models.Index(fields=["tenant_id", "-at", "-id"], name="audit_newest"),
            models.Index(fields=["tenant_id", "actor_id", "-at", "-id"], name="audit_of_actor"),
            models.Index(fields=["tenant_id", "key", "-at", "-id"], name="audit_of_object"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.key}"


class AuditLink(TenantOwned):
    """An event's place in its tenant's chain; its `id` is the event's. Written by the database."""

    append_only = True

    number = models.BigIntegerField()
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "number"], name="audit_link_number_is_unique"
            )
        ]

    def __str__(self) -> str:
        return str(self.number)


class AuditHead(TenantOwned):
    """The end of a tenant's chain; its lock puts the links in order. Its `id` is the tenant's."""

    is_deletable = False

    number = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="audit_head_is_one_per_tenant", condition=Q(id=F("tenant_id"))
            )
        ]

    def __str__(self) -> str:
        return str(self.number)
