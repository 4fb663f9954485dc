from django.db import migrations, models
from django.db.models.functions import Cast, Concat

import tenants.constraints
import tenants.identifiers
import tenants.ownership
from accounts.audit import chain
from tenants.operations import PublicSQL

ID = models.UUIDField(
    default=tenants.identifiers.new_id, editable=False, primary_key=True, serialize=False
)


def NAMED(kind):  # noqa: N802 - a constant of two arguments
    return Concat(
        models.Value(kind), Cast("actor_id", models.CharField()), output_field=models.CharField()
    )


class Migration(migrations.Migration):
    initial = True

    dependencies = [("tenants", "0003_one_proof_for_the_owner")]

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", ID.clone()),
                ("tenant_id", tenants.ownership.TenantId()),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=120)),
                ("actor_id", models.UUIDField(blank=True, null=True)),
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
                    models.Index(fields=["tenant_id", "-at", "-id"], name="audit_newest"),
                    models.Index(
                        fields=["tenant_id", "actor_id", "-at", "-id"], name="audit_of_actor"
                    ),
                    models.Index(fields=["tenant_id", "key", "-at", "-id"], name="audit_of_object"),
                ],
                "constraints": [
                    tenants.constraints.TenantWall(
                        append_only=True, name="accounts_auditevent_wall", owner_column="actor_id"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("actor__startswith", "system:"), ("actor_id__isnull", True)),
                            models.Q(
                                ("actor_id__isnull", False),
                                models.Q(
                                    ("actor__startswith", "key:"),
                                    ("actor", NAMED("user:")),
                                    ("actor", NAMED("support:")),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="audit_actor_is_the_person",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("id", ID.clone()),
                ("tenant_id", tenants.ownership.TenantId()),
                ("number", models.BigIntegerField()),
                ("digest", models.BinaryField(max_length=32)),
            ],
            options={
                "constraints": [
                    tenants.constraints.TenantWall(
                        name="accounts_audithead_wall", is_deletable=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("id", models.F("tenant_id"))),
                        name="audit_head_is_one_per_tenant",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditLink",
            fields=[
                ("id", ID.clone()),
                ("tenant_id", tenants.ownership.TenantId()),
                ("number", models.BigIntegerField()),
                ("previous", models.BinaryField(max_length=32)),
                ("digest", models.BinaryField(max_length=32)),
            ],
            options={
                "constraints": [
                    tenants.constraints.TenantWall(
                        append_only=True, name="accounts_auditlink_wall"
                    ),
                    models.UniqueConstraint(
                        fields=("tenant_id", "number"), name="audit_link_number_is_unique"
                    ),
                ],
            },
        ),
        PublicSQL([chain.TENANTS.create_function()], [chain.TENANTS.drop_function()]),
        migrations.RunSQL([chain.TENANTS.create_trigger()], [chain.TENANTS.drop_trigger()]),
    ]
