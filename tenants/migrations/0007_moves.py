import django.db.models.deletion
from django.db import migrations, models

import tenants.constraints
import tenants.identifiers
import tenants.operations
from tenants import owner_tables


class Migration(migrations.Migration):
    """Tenants can be moved from one tier to the other while they go on."""

    accepts = tenants.operations.MAKES_A_DOMAIN

    dependencies = [
        ("tenants", "0006_owner_tables"),
    ]

    operations = [
        migrations.RunSQL(sql=owner_tables.CHANGED_ROW, reverse_sql=owner_tables.DROP_CHANGED_ROW),
        migrations.AddField(
            model_name="tenant",
            name="is_moving",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.CreateModel(
            name="TenantMove",
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
                (
                    "placement",
                    models.CharField(
                        choices=[("shared", "Shared"), ("dedicated", "Dedicated")], max_length=20
                    ),
                ),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("begun", "Begun"),
                            ("noting", "Noting"),
                            ("copied", "Copied"),
                            ("verified", "Verified"),
                            ("switched", "Switched"),
                            ("released", "Released"),
                            ("abandoned", "Abandoned"),
                        ],
                        default="begun",
                        max_length=20,
                    ),
                ),
                ("steps", models.JSONField(default=list)),
                ("begun_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.plan",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="moves",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    tenants.constraints.SharedTable(
                        name="tenants_tenantmove_shared", read="platform"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at__isnull", True)),
                        fields=("tenant",),
                        name="move_under_way_is_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("finished_at__isnull", True),
                            ("phase__in", ["released", "abandoned"]),
                            _connector="OR",
                        ),
                        name="move_is_finished_at_its_end",
                    ),
                ],
            },
        ),
        tenants.operations.RenewEntry(),
    ]
