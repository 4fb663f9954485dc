import django.db.models.deletion
from django.db import migrations, models

import tenants.constraints
import tenants.identifiers
import tenants.operations


class Migration(migrations.Migration):
    """Tenants are made and deleted in steps that are recorded, and moves say what broke them off."""

    accepts = {
        "constraint_under_lock": "Tenants are few rows: it is read in an instant.",
        **tenants.operations.MAKES_A_DOMAIN,
    }

    dependencies = [
        ("tenants", "0007_moves"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenantmove",
            name="error",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AlterField(
            model_name="tenant",
            name="status",
            field=models.CharField(
                choices=[
                    ("provisioning", "Provisioning"),
                    ("active", "Active"),
                    ("suspended", "Suspended"),
                    ("deleting", "Deleting"),
                    ("deleted", "Deleted"),
                ],
                default="provisioning",
                max_length=20,
            ),
        ),
        migrations.RemoveConstraint(model_name="tenant", name="tenant_status_is_known"),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["provisioning", "active", "suspended", "deleting", "deleted"])
                ),
                name="tenant_status_is_known",
            ),
        ),
        migrations.CreateModel(
            name="TenantWorkflow",
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
                    "kind",
                    models.CharField(
                        choices=[("provision", "Provision"), ("delete", "Delete")], max_length=20
                    ),
                ),
                ("by", models.CharField(max_length=120)),
                ("owner_email", models.EmailField(blank=True, max_length=254)),
                ("asked_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="workflows",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    tenants.constraints.SharedTable(
                        name="tenants_tenantworkflow_shared", read="platform"
                    ),
                    models.UniqueConstraint(
                        fields=("tenant", "kind"), name="workflow_is_one_of_its_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["provision", "delete"])),
                        name="workflow_kind_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TenantStep",
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
                ("name", models.CharField(max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=20,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=200)),
                (
                    "workflow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="tenants.tenantworkflow",
                    ),
                ),
            ],
            options={
                "constraints": [
                    tenants.constraints.SharedTable(
                        name="tenants_tenantstep_shared", read="platform"
                    ),
                    models.UniqueConstraint(
                        fields=("workflow", "name"), name="step_is_once_in_workflow"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "running", "done", "failed"])),
                        name="step_state_is_known",
                    ),
                ],
            },
        ),
        tenants.operations.RenewEntry(),
    ]
