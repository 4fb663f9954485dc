"""What was done on the platform, outside every tenant; chained like a tenant's trail."""

from __future__ import annotations

from django.db import models

from tenants.constraints import SharedTable
from tenants.identifiers import new_id


class PlatformEvent(models.Model):
    """One thing done. `actor` is who did it, such as `user:<uuid>` or `system:<job>`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    actor = models.CharField(max_length=120)
    action = models.CharField(max_length=64)
    kind = models.CharField(max_length=64, blank=True)
    key = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            SharedTable(name="accounts_platformevent_shared", read="platform", append_only=True)
        ]
        indexes = [
            models.Index(fields=["-at", "-id"], name="platform_event_newest"),
            models.Index(fields=["key", "-at"], name="platform_event_of_object"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.key}"


class PlatformLink(models.Model):
    """An event's place in the platform's chain; its `id` is the event's."""

    id = models.UUIDField(primary_key=True, editable=False)
    number = models.BigIntegerField(unique=True)
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            SharedTable(name="accounts_platformlink_shared", read="platform", append_only=True)
        ]

    def __str__(self) -> str:
        return str(self.number)


class PlatformHead(models.Model):
    """The end of the platform's chain; there is one row."""

    id = models.SmallIntegerField(primary_key=True)
    number = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            SharedTable(name="accounts_platformhead_shared", read="platform", is_deletable=False),
            models.CheckConstraint(name="platform_head_is_one", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return str(self.number)
