from django.db import migrations, models

import tenants.constraints
import tenants.identifiers
from accounts.audit import chain


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_refresh_tokens"),
    ]

    operations = [
        migrations.CreateModel(
            name="PlatformEvent",
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
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=120)),
                ("action", models.CharField(max_length=64)),
                ("kind", models.CharField(blank=True, max_length=64)),
                ("key", models.CharField(blank=True, max_length=200)),
                ("before", models.JSONField(blank=True, null=True)),
                ("after", models.JSONField(blank=True, null=True)),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
                ("request_id", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-at", "-id"], name="platform_event_newest"),
                    models.Index(fields=["key", "-at"], name="platform_event_of_object"),
                ],
                "constraints": [
                    tenants.constraints.SharedTable(
                        append_only=True, name="accounts_platformevent_shared", read="platform"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PlatformHead",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField()),
                ("digest", models.BinaryField(max_length=32)),
            ],
            options={
                "constraints": [
                    tenants.constraints.SharedTable(
                        name="accounts_platformhead_shared", read="platform", is_deletable=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="platform_head_is_one"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlatformLink",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(unique=True)),
                ("previous", models.BinaryField(max_length=32)),
                ("digest", models.BinaryField(max_length=32)),
            ],
            options={
                "constraints": [
                    tenants.constraints.SharedTable(
                        append_only=True, name="accounts_platformlink_shared", read="platform"
                    )
                ],
            },
        ),
        migrations.RunSQL([chain.PLATFORM.create_function()], [chain.PLATFORM.drop_function()]),
        migrations.RunSQL([chain.PLATFORM.create_trigger()], [chain.PLATFORM.drop_trigger()]),
    ]
