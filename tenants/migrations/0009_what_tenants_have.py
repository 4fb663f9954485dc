import django.db.models.deletion
from django.db import migrations, models

import tenants.constraints

GIB = 1024 * 1024 * 1024
MOST = {"starter": (1_000_000, GIB), "pro": (20_000_000, 20 * GIB)}  # enterprise: no end


def set_limits(apps, schema_editor):
    plans = apps.get_model("tenants", "Plan").objects.using(schema_editor.connection.alias)
    for code, (rows, size) in MOST.items():
        plans.filter(code=code).update(max_rows=rows, max_bytes=size)


class Migration(migrations.Migration):
    """Plans say how many rows and bytes a tenant may have, and what it has is counted."""

    accepts = dict.fromkeys(
        ("constraint_under_lock", "rows_under_lock"), "Plans are a handful of rows."
    )

    dependencies = [
        ("tenants", "0008_workflows"),
    ]

    operations = [
        migrations.AddField(
            model_name="plan",
            name="max_rows",
            field=models.PositiveBigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="plan",
            name="max_bytes",
            field=models.PositiveBigIntegerField(blank=True, null=True),
        ),
        migrations.RunPython(set_limits, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("concurrent_requests__gt", 0), ("requests_per_minute__gt", 0)),
                name="plan_lets_somebody_in",
            ),
        ),
        migrations.CreateModel(
            name="TenantUsage",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="measured",
                        serialize=False,
                        to="tenants.tenant",
                    ),
                ),
                ("rows", models.PositiveBigIntegerField()),
                ("bytes", models.PositiveBigIntegerField()),
                ("counted_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    tenants.constraints.SharedTable(
                        name="tenants_tenantusage_shared", read="own", tenant_column="tenant_id"
                    )
                ],
            },
        ),
    ]
