import django.db.models.deletion
from django.db import migrations, models

import tenants.constraints


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0003_one_proof_for_the_owner"),
    ]

    operations = [
        migrations.CreateModel(
            name="EmergencyLock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "tenant",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="emergency_lock",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    tenants.constraints.SharedTable(
                        name="tenants_emergencylock_shared", read="platform"
                    ),
                    models.UniqueConstraint(
                        models.Value(1),
                        condition=models.Q(("tenant__isnull", True)),
                        name="platform_lock_is_one",
                    ),
                ],
            },
        ),
    ]
