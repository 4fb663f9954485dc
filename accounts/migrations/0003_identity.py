import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tenants.constraints
import tenants.identifiers


class Migration(migrations.Migration):
    accepts = dict.fromkeys(
        (
            "column_removed",
            "column_without_default",
            "rows_at_once",
            "rows_under_lock",
            "table_removed",
            "wall_changed",
        ),
        "Until 1.0 an installation stands still while it is migrated.",
    )

    dependencies = [
        ("accounts", "0002_close_platform_tables"),
        ("tenants", "0003_one_proof_for_the_owner"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
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
                ("name", models.CharField(max_length=80)),
                ("prefix", models.CharField(max_length=16)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                (
                    "key_scope",
                    models.CharField(
                        choices=[("read", "read"), ("trade", "trade"), ("admin", "admin")],
                        max_length=10,
                    ),
                ),
                ("account_id", models.UUIDField(blank=True, null=True)),
                ("addresses", models.JSONField(default=list)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Authenticator",
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
                ("sealed_secret", models.BinaryField(max_length=200)),
                ("created_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("last_step", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
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
                ("email", models.EmailField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "owner"),
                            ("admin", "admin"),
                            ("trader", "trader"),
                            ("viewer", "viewer"),
                        ],
                        max_length=20,
                    ),
                ),
                ("invited_by_id", models.UUIDField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="RecoveryCode",
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
                ("digest", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Session",
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
                ("created_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_because", models.CharField(blank=True, max_length=40)),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
                ("agent", models.CharField(blank=True, max_length=200)),
                ("has_second_factor", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="SupportSession",
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
                ("staff_email", models.EmailField(max_length=254)),
                ("reason", models.CharField(max_length=200)),
                ("requested_at", models.DateTimeField()),
                ("opened_by_id", models.UUIDField(blank=True, null=True)),
                ("opened_by_owner", models.BooleanField(default=False)),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="TenantPolicy",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="policy",
                        serialize=False,
                        to="tenants.tenant",
                    ),
                ),
                ("requires_second_factor", models.BooleanField(default=False)),
            ],
        ),
        migrations.RemoveField(
            model_name="refreshtoken",
            name="membership",
        ),
        migrations.RemoveField(
            model_name="refreshtoken",
            name="user",
        ),
        migrations.RemoveConstraint(
            model_name="membership",
            name="accounts_membership_shared",
        ),
        migrations.AddField(
            model_name="membership",
            name="email",
            field=models.EmailField(default="", max_length=254),
        ),
        migrations.RunSQL(
            "UPDATE accounts_membership m SET email = u.email"
            " FROM accounts_user u WHERE u.id = m.user_id",
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            model_name="membership",
            name="sees_tenant",
            field=models.BooleanField(default=False),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=tenants.constraints.SharedTable(
                name="accounts_membership_shared",
                read="own",
                tenant_column="tenant_id",
                write="inside",
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to="tenants.tenant"
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="authenticator",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to="tenants.tenant"
            ),
        ),
        migrations.AddField(
            model_name="recoverycode",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="recovery_codes",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="session",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to="tenants.tenant"
            ),
        ),
        migrations.AddField(
            model_name="session",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="supportsession",
            name="staff",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="support_sessions",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="supportsession",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, to="tenants.tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="tenantpolicy",
            constraint=tenants.constraints.SharedTable(
                name="accounts_tenantpolicy_shared",
                read="own",
                tenant_column="tenant_id",
                write="inside",
            ),
        ),
        migrations.DeleteModel(
            name="RefreshToken",
        ),
        migrations.AddIndex(
            model_name="apikey",
            index=models.Index(fields=["tenant", "user"], name="api_key_of_user"),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=tenants.constraints.SharedTable(
                name="accounts_apikey_shared",
                owner_column="user_id",
                read="kept",
                tenant_column="tenant_id",
                write="inside",
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("key_scope__in", ["read", "trade", "admin"])),
                name="api_key_scope_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="authenticator",
            constraint=tenants.constraints.SharedTable(
                name="accounts_authenticator_shared", read="platform"
            ),
        ),
        migrations.AddIndex(
            model_name="invitation",
            index=models.Index(fields=["tenant", "email"], name="invitation_of_tenant"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=tenants.constraints.SharedTable(
                name="accounts_invitation_shared",
                read="kept",
                tenant_column="tenant_id",
                write="inside",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["owner", "admin", "trader", "viewer"])),
                name="invitation_role_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="recoverycode",
            constraint=tenants.constraints.SharedTable(
                name="accounts_recoverycode_shared", read="platform"
            ),
        ),
        migrations.AddConstraint(
            model_name="recoverycode",
            constraint=models.UniqueConstraint(
                fields=("user", "digest"), name="recovery_code_is_one_of_its_kind"
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["tenant", "user", "ended_at"], name="session_of_user"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["user", "ended_at"], name="session_everywhere"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["ended_at"], name="session_ended"),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=tenants.constraints.SharedTable(
                name="accounts_session_shared",
                owner_column="user_id",
                read="kept",
                tenant_column="tenant_id",
                write="inside",
            ),
        ),
        migrations.AddIndex(
            model_name="supportsession",
            index=models.Index(fields=["tenant", "requested_at"], name="support_of_tenant"),
        ),
        migrations.AddConstraint(
            model_name="supportsession",
            constraint=tenants.constraints.SharedTable(
                name="accounts_supportsession_shared",
                read="kept",
                tenant_column="tenant_id",
                write="inside",
            ),
        ),
        migrations.AddConstraint(
            model_name="supportsession",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("opened_by_id__isnull", True),
                    models.Q(("opened_by_id", models.F("staff_id")), _negated=True),
                    _connector="OR",
                ),
                name="support_session_is_opened_by_another",
            ),
        ),
    ]
