from django.db import migrations, models

import tenants.constraints
import tenants.identifiers


class Migration(migrations.Migration):
    initial = True

    dependencies = [("tenants", "0003_one_proof_for_the_owner")]

    operations = [
        migrations.CreateModel(
            name="Backup",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.identifiers.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField(editable=False)),
                ("slug", models.CharField(max_length=63)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("nightly", "Nightly"),
                            ("first", "First"),
                            ("last", "Last"),
                            ("undo", "Undo"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("running", "Running"),
                            ("complete", "Complete"),
                            ("failed", "Failed"),
                            ("removed", "Removed"),
                        ],
                        default="asked",
                        max_length=20,
                    ),
                ),
                ("asked_by", models.CharField(max_length=120)),
                ("asked_at", models.DateTimeField()),
                ("taken_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("rows", models.PositiveBigIntegerField(blank=True, null=True)),
                ("size", models.PositiveBigIntegerField(blank=True, null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("fault", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["tenant_id", "-asked_at", "-id"], name="backup_of_tenant")
                ],
                "constraints": [
                    tenants.constraints.SharedTable(
                        name="backups_backup_shared",
                        read="kept",
                        write="inside",
                        tenant_column="tenant_id",
                        is_deletable=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["asked", "running", "complete", "failed", "removed"])
                        ),
                        name="backup_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reason__in", ["asked", "nightly", "first", "last", "undo"])
                        ),
                        name="backup_reason_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["complete", "removed"]), _negated=True),
                            models.Q(
                                ("finished_at__isnull", False),
                                ("rows__isnull", False),
                                ("size__isnull", False),
                                ("taken_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="complete_backup_says_what_it_holds",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Restoration",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.identifiers.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField(editable=False)),
                (
                    "backup",
                    models.ForeignKey(
                        on_delete=models.deletion.PROTECT,
                        related_name="restorations",
                        to="backups.backup",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="asked",
                        max_length=20,
                    ),
                ),
                ("step", models.CharField(blank=True, max_length=120)),
                ("asked_by_id", models.UUIDField()),
                ("asked_at", models.DateTimeField()),
                ("begun_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("undo_id", models.UUIDField(blank=True, null=True)),
                ("fault", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["tenant_id", "-asked_at", "-id"], name="restoration_of_tenant"
                    )
                ],
                "constraints": [
                    tenants.constraints.SharedTable(
                        name="backups_restoration_shared",
                        read="kept",
                        write="inside",
                        tenant_column="tenant_id",
                        is_deletable=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["asked", "running", "done", "failed"])),
                        name="restoration_status_is_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["asked", "running"])),
                        fields=("tenant_id",),
                        name="restoration_is_one_at_a_time",
                    ),
                ],
            },
        ),
    ]
