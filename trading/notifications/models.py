"""The log of what happened to each person, in the order in which it was committed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tenants.ownership import UserOwned


class NotificationQuerySet(models.QuerySet["Notification"]):
    def unread(self) -> NotificationQuerySet:
        return self.filter(read_at=None)


class Notification(UserOwned):
    """One event of one person: 1, 2, 3 … without gaps, the oldest trimmed in time."""

    number = models.BigIntegerField()
    kind = models.CharField(max_length=64)
    at = models.DateTimeField()
    data = models.JSONField()
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "user_id", "number"], name="notification_number_is_unique"
            ),
            models.CheckConstraint(
                name="notification_number_is_positive", condition=Q(number__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.kind}"


class NotificationCursor(UserOwned):
    """The number of a person's last event; its lock puts transactions in the order of the log."""

    is_deletable = False

    last = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "user_id"], name="notification_cursor_is_one_per_person"
            ),
            models.CheckConstraint(name="notification_cursor_is_positive", condition=Q(last__gt=0)),
        ]

    def __str__(self) -> str:
        return str(self.last)
