from django.db import migrations, models

import tenants.constraints
import tenants.identifiers
import tenants.ownership


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0004_order_types"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notification",
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
                ("tenant_id", tenants.ownership.TenantId()),
                ("user_id", models.UUIDField(editable=False)),
                ("number", models.BigIntegerField()),
                ("kind", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
                ("data", models.JSONField()),
                ("read_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    tenants.constraints.TenantWall(
                        name="trading_notification_wall", owner_column="user_id"
                    ),
                    models.UniqueConstraint(
                        fields=("tenant_id", "user_id", "number"),
                        name="notification_number_is_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number__gt", 0)),
                        name="notification_number_is_positive",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NotificationCursor",
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
                ("tenant_id", tenants.ownership.TenantId()),
                ("user_id", models.UUIDField(editable=False)),
                ("last", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    tenants.constraints.TenantWall(
                        is_deletable=False,
                        name="trading_notificationcursor_wall",
                        owner_column="user_id",
                    ),
                    models.UniqueConstraint(
                        fields=("tenant_id", "user_id"),
                        name="notification_cursor_is_one_per_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("last__gt", 0)), name="notification_cursor_is_positive"
                    ),
                ],
            },
        ),
    ]
