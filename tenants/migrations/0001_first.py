import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import django_tenants.postgresql_backend.base
from django.db import migrations, models

import tenants.constraints
import tenants.identifiers
import tenants.operations


class Migration(migrations.Migration):
    initial = True
    accepts = tenants.operations.MAKES_A_DOMAIN

    dependencies = []

    operations = [
        tenants.operations.InstallEntry(),
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("code", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                ("has_own_schema", models.BooleanField(default=False)),
                ("requests_per_minute", models.PositiveIntegerField()),
                ("statement_timeout_ms", models.PositiveIntegerField()),
                ("concurrent_requests", models.PositiveIntegerField()),
                ("cache_quota_bytes", models.PositiveBigIntegerField()),
                ("backups_daily", models.PositiveSmallIntegerField()),
                ("backups_weekly", models.PositiveSmallIntegerField(default=0)),
                ("backups_monthly", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    tenants.constraints.SharedTable(name="tenants_plan_shared", read="everywhere"),
                    models.CheckConstraint(
                        condition=models.Q(("statement_timeout_ms__gt", 0)),
                        name="plan_statement_timeout_is_set",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tenant",
            fields=[
                (
                    "schema_name",
                    models.CharField(
                        db_index=True,
                        max_length=63,
                        unique=True,
                        validators=[django_tenants.postgresql_backend.base._check_schema_name],
                    ),
                ),
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
                    "slug",
                    models.CharField(
                        max_length=63,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\Z"
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("provisioning", "Provisioning"),
                            ("active", "Active"),
                            ("suspended", "Suspended"),
                        ],
                        default="provisioning",
                        max_length=20,
                    ),
                ),
                ("status_reason", models.CharField(blank=True, max_length=200)),
                (
                    "placement",
                    models.CharField(
                        choices=[("shared", "Shared"), ("dedicated", "Dedicated")],
                        default="shared",
                        max_length=20,
                    ),
                ),
                ("region", models.CharField(default="default", max_length=40)),
                ("created_at", models.DateTimeField()),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tenants",
                        to="tenants.plan",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Domain",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("domain", models.CharField(db_index=True, max_length=253, unique=True)),
                ("is_primary", models.BooleanField(db_index=True, default=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="domains",
                        to="tenants.tenant",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=tenants.constraints.SharedTable(
                name="tenants_tenant_shared", read="own", tenant_column="id"
            ),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(("schema_name", "public"), _negated=True),
                name="tenant_schema_is_never_public",
            ),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["provisioning", "active", "suspended"])),
                name="tenant_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(("placement__in", ["shared", "dedicated"])),
                name="tenant_placement_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=tenants.constraints.SharedTable(
                name="tenants_domain_shared", read="own", tenant_column="tenant_id"
            ),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "schema_name",
                        django.db.models.functions.text.Concat(
                            models.Value("tenant_"),
                            django.db.models.functions.text.Replace(
                                django.db.models.functions.comparison.Cast(
                                    "id", models.CharField()
                                ),
                                models.Value("-"),
                                models.Value(""),
                            ),
                        ),
                    )
                ),
                name="tenant_schema_is_its_own",
            ),
        ),
    ]
