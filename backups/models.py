"""What the platform knows of its backups; the archives themselves are in the storage."""

from __future__ import annotations

from django.db import models

from accounts import sealing
from tenants.constraints import SharedTable
from tenants.identifiers import new_id


class BackupQuerySet(models.QuerySet["Backup"]):
    def of_workers(self) -> BackupQuerySet:
        return self.filter(reason__in=Backup.OF_WORKERS)


class Backup(models.Model):
    """One archive of one tenant, from the moment somebody asked for it.

    It outlives its tenant, whom it therefore names without a key. One that is `complete` has an
    archive with its entry beside it; the row is kept after the archive has gone.
    """

    class Status(models.TextChoices):
        ASKED = "asked"
        RUNNING = "running"
        COMPLETE = "complete"
        FAILED = "failed"
        REMOVED = "removed"

    class Reason(models.TextChoices):
        ASKED = "asked"  # by a person or an operator
        NIGHTLY = "nightly"
        FIRST = "first"  # of a tenant that was just made
        LAST = "last"  # before a tenant is deleted
        UNDO = "undo"  # before another state is put in the place of the present one
        INSTANT = "instant"  # of a moment that has passed, to be put back

    # Any worker can take these. The others are a part of somebody's work, which takes them anew.
    OF_WORKERS = (Reason.ASKED, Reason.NIGHTLY)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField(editable=False)
    slug = models.CharField(max_length=63)
    reason = models.CharField(max_length=20, choices=Reason)
    status = models.CharField(max_length=20, choices=Status, default=Status.ASKED)
    asked_by = models.CharField(max_length=120)
    asked_at = models.DateTimeField()
    # The moment that its rows are of.
    taken_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    rows = models.PositiveBigIntegerField(null=True, blank=True)
    size = models.PositiveBigIntegerField(null=True, blank=True)  # bytes
    sha256 = models.CharField(max_length=64, blank=True)
    fault = models.CharField(max_length=64, blank=True)  # the code of what went wrong
    # An export was asked for; and until when the archive's own key is lent for it (decision 33).
    export_asked_at = models.DateTimeField(null=True, blank=True)
    export_until = models.DateTimeField(null=True, blank=True)
    sealed_key = models.BinaryField(max_length=200, null=True)
    # When it was last put back to try it, and the code of what was wrong with it then.
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_fault = models.CharField(max_length=64, blank=True, default="", db_default="")

    objects = BackupQuerySet.as_manager()

    class Meta:
        constraints = [
            SharedTable(
                name="backups_backup_shared",
                read="kept",
                write="inside",
                tenant_column="tenant_id",
                is_deletable=False,
            ),
            models.CheckConstraint(
                name="backup_status_is_known",
                condition=models.Q(
                    status__in=["asked", "running", "complete", "failed", "removed"]
                ),
            ),
            models.CheckConstraint(
                name="backup_reason_is_known",
                condition=models.Q(
                    reason__in=["asked", "nightly", "first", "last", "undo", "instant"]
                ),
            ),
            models.CheckConstraint(
                name="complete_backup_says_what_it_holds",
                condition=~models.Q(status__in=["complete", "removed"])
                | models.Q(
                    taken_at__isnull=False,
                    finished_at__isnull=False,
                    rows__isnull=False,
                    size__isnull=False,
                ),
            ),
        ]
        indexes = [models.Index(fields=["tenant_id", "-asked_at", "-id"], name="backup_of_tenant")]

    def __str__(self) -> str:
        return f"{self.slug} {self.reason} {self.status}"

    @property
    def is_of_workers(self) -> bool:
        return self.reason in self.OF_WORKERS

    @property
    def purpose(self) -> str:
        """What `sealed_key` is sealed for: this archive and no other."""
        return f"backups:lent:{self.pk}"


class RestorationQuerySet(models.QuerySet["Restoration"]):
    def under_way(self) -> RestorationQuerySet:
        return self.filter(status__in=("asked", "running"))


class Restoration(models.Model):
    """A tenant put back to a backup of its own, from the moment somebody asked for it."""

    class Status(models.TextChoices):
        ASKED = "asked"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField(editable=False)
    backup = models.ForeignKey(Backup, on_delete=models.PROTECT, related_name="restorations")
    status = models.CharField(max_length=20, choices=Status, default=Status.ASKED)
    step = models.CharField(max_length=120, blank=True)  # the last that was done
    asked_by_id = models.UUIDField(null=True, blank=True)  # a person; null: an operator does it
    asked_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    undo_id = models.UUIDField(null=True, blank=True)  # the backup of the state before
    fault = models.CharField(max_length=64, blank=True)  # the code of what went wrong

    objects = RestorationQuerySet.as_manager()

    class Meta:
        constraints = [
            SharedTable(
                name="backups_restoration_shared",
                read="kept",
                write="inside",
                tenant_column="tenant_id",
                is_deletable=False,
            ),
            models.CheckConstraint(
                name="restoration_status_is_known",
                condition=models.Q(status__in=["asked", "running", "done", "failed"]),
            ),
            models.UniqueConstraint(
                name="restoration_is_one_at_a_time",
                fields=["tenant_id"],
                condition=models.Q(status__in=["asked", "running"]),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant_id", "-asked_at", "-id"], name="restoration_of_tenant")
        ]

    def __str__(self) -> str:
        return f"{self.backup_id} {self.status}"


sealing.register(Backup, "sealed_key", purpose=lambda row: row.purpose)
