import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenants.constraints
import tenants.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_identity"),
        ("tenants", "0003_one_proof_for_the_owner"),
    ]

    operations = [
        migrations.CreateModel(
            name="RefreshToken",
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
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="accounts.session"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tenants.tenant"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    tenants.constraints.SharedTable(
                        name="accounts_refreshtoken_shared",
                        owner_column="user_id",
                        read="kept",
                        tenant_column="tenant_id",
                        write="inside",
                    )
                ],
            },
        ),
    ]
