"""Tenants, the hosts they answer on, and the plans they are on: shared tables of the platform."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Cast, Concat, Replace
from django_tenants.models import DomainMixin, TenantMixin

from tenants.constraints import SharedTable
from tenants.identifiers import PUBLIC_SCHEMA, new_id, schema_of

SLUG_PATTERN = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


class Plan(models.Model):  # type: ignore[django-manager-missing]  # Tenant's base has no types
    """What a tenant may use. Rows, not code: staff changes them while the platform runs."""

    code = models.CharField(max_length=20, primary_key=True)
    name = models.CharField(max_length=60)
    has_own_schema = models.BooleanField(default=False)
    requests_per_minute = models.PositiveIntegerField()
    statement_timeout_ms = models.PositiveIntegerField()
    concurrent_requests = models.PositiveIntegerField()
    # Processor time of its requests, and what their statements take at the server.
    server_ms_per_second = models.PositiveIntegerField(default=100, db_default=100)
    cache_quota_bytes = models.PositiveBigIntegerField()
    # Of its own tables, and of its rows and files; null where there is no end.
    max_rows = models.PositiveBigIntegerField(null=True, blank=True)
    max_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    backups_daily = models.PositiveSmallIntegerField()
    backups_weekly = models.PositiveSmallIntegerField(default=0)
    backups_monthly = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            SharedTable(name="tenants_plan_shared", read="everywhere"),
            models.CheckConstraint(
                name="plan_statement_timeout_is_set",
                condition=models.Q(statement_timeout_ms__gt=0),
            ),
            models.CheckConstraint(
                name="plan_lets_somebody_in",
                condition=models.Q(requests_per_minute__gt=0, concurrent_requests__gt=0),
            ),
            models.CheckConstraint(
                name="plan_gives_server_time",
                condition=models.Q(server_ms_per_second__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Tenant(TenantMixin):  # type: ignore[misc]  # it has no types
    """A customer. Its UUID is its identity everywhere; the schema name is reserved at birth.

    `placement` says where the rows live now. No tenant ever says `public`: `placement = shared`
    does, and `schema_name` stays the one this tenant would move to.
    """

    class Status(models.TextChoices):
        PROVISIONING = "provisioning"
        ACTIVE = "active"
        SUSPENDED = "suspended"
        DELETING = "deleting"
        DELETED = "deleted"  # nothing is left of it but this row, which keeps the slug

    class Placement(models.TextChoices):
        SHARED = "shared"
        DEDICATED = "dedicated"

    auto_create_schema = False
    auto_drop_schema = False

    schema_name: str  # a field of TenantMixin
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(
        max_length=63, unique=True, validators=[RegexValidator(rf"^{SLUG_PATTERN}\Z")]
    )
    name = models.CharField(max_length=120)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="tenants")
    status = models.CharField(max_length=20, choices=Status, default=Status.PROVISIONING)
    status_reason = models.CharField(max_length=200, blank=True)
    placement = models.CharField(max_length=20, choices=Placement, default=Placement.SHARED)
    # Its rows are being carried to where `placement` does not say yet: what changes is noted.
    is_moving = models.BooleanField(default=False, db_default=False)
    # Since when its work goes on, after it was suspended or restored; see `tenants/returning.py`.
    returned_at = models.DateTimeField(null=True, blank=True)
    region = models.CharField(max_length=40, default="default")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            SharedTable(name="tenants_tenant_shared", read="own", tenant_column="id"),
            models.CheckConstraint(
                name="tenant_schema_is_never_public",
                condition=~models.Q(schema_name=PUBLIC_SCHEMA),
            ),
            models.CheckConstraint(
                name="tenant_schema_is_its_own",
                condition=models.Q(
                    schema_name=Concat(
                        models.Value("tenant_"),
                        Replace(
                            Cast("id", models.CharField()), models.Value("-"), models.Value("")
                        ),
                    )
                ),
            ),
            models.CheckConstraint(
                name="tenant_status_is_known",
                condition=models.Q(
                    status__in=["provisioning", "active", "suspended", "deleting", "deleted"]
                ),
            ),
            models.CheckConstraint(
                name="tenant_placement_is_known",
                condition=models.Q(placement__in=["shared", "dedicated"]),
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def clean_fields(self, exclude: Any = None) -> None:
        self.schema_name = self.schema_name or schema_of(self.id)
        super().clean_fields(exclude=exclude)

    @property
    def tier(self) -> str:
        """starter, pro or enterprise."""
        return str(self.plan_id)

    @property
    def live_schema(self) -> str:
        """The schema that holds the tenant's rows now."""
        dedicated = self.placement == self.Placement.DEDICATED
        return self.schema_name if dedicated else PUBLIC_SCHEMA


class Domain(DomainMixin):  # type: ignore[misc]  # it has no types
    """A host that leads to a tenant, besides `<slug>.<base domain>`."""

    class Meta:
        constraints = [
            SharedTable(name="tenants_domain_shared", read="own", tenant_column="tenant_id")
        ]


class TenantMove(models.Model):
    """A tenant on its way from the shared tables to a schema of its own, or back.

    `phase` is the last that is done: whoever goes on begins after it. One that is not finished is
    the only one of its tenant.
    """

    class Phase(models.TextChoices):
        BEGUN = "begun"
        NOTING = "noting"
        COPIED = "copied"
        VERIFIED = "verified"
        SWITCHED = "switched"
        RELEASED = "released"
        ABANDONED = "abandoned"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="moves")
    placement = models.CharField(max_length=20, choices=Tenant.Placement)  # where it goes
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")  # that it gets there
    phase = models.CharField(max_length=20, choices=Phase, default=Phase.BEGUN)
    steps = models.JSONField(default=list)  # phases that are done: when, seconds, rows
    error = models.CharField(
        max_length=200, blank=True, default="", db_default=""
    )  # of the last try
    by = models.CharField(max_length=120, blank=True, default="", db_default="")  # who asked for it
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    tried_at = models.DateTimeField(null=True, blank=True)  # when the last of them began
    # Who has asked that it be given up: whoever carries it looks, and takes it back.
    given_up_by = models.CharField(max_length=120, blank=True, default="", db_default="")
    begun_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            SharedTable(name="tenants_tenantmove_shared", read="platform"),
            models.UniqueConstraint(
                fields=["tenant"],
                condition=models.Q(finished_at__isnull=True),
                name="move_under_way_is_one",
            ),
            models.CheckConstraint(
                name="move_is_finished_at_its_end",
                condition=models.Q(finished_at__isnull=True)
                | models.Q(phase__in=["released", "abandoned"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant} to {self.placement}: {self.phase}"

    @property
    def is_to_dedicated(self) -> bool:
        return bool(self.placement == Tenant.Placement.DEDICATED)

    @property
    def has_switched(self) -> bool:
        """Whether the tenant lives where it goes: from then on there is no way back."""
        return self.phase in AFTER_THE_SWITCH


AFTER_THE_SWITCH = (TenantMove.Phase.SWITCHED, TenantMove.Phase.RELEASED)


class TenantUsage(models.Model):
    """What a tenant has, as counted last: rows of its own tables, bytes of them and of its files.

    Written by a timer, in `tenants/measuring`.
    """

    tenant = models.OneToOneField(
        Tenant, on_delete=models.CASCADE, primary_key=True, related_name="measured"
    )
    rows = models.PositiveBigIntegerField()
    bytes = models.PositiveBigIntegerField()
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            SharedTable(name="tenants_tenantusage_shared", read="own", tenant_column="tenant_id")
        ]

    def __str__(self) -> str:
        return f"{self.rows} rows of {self.tenant_id}"


class TenantWorkflow(models.Model):
    """Something done to a tenant as a whole, in steps: it is made, or it is deleted.

    Who asked for it, and for whom; the steps say how far it has come.
    """

    class Kind(models.TextChoices):
        PROVISION = "provision"
        DELETE = "delete"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="workflows")
    kind = models.CharField(max_length=20, choices=Kind)
    by = models.CharField(max_length=120)
    owner_email = models.EmailField(blank=True)  # whom a new tenant is for
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            SharedTable(name="tenants_tenantworkflow_shared", read="platform"),
            models.UniqueConstraint(fields=["tenant", "kind"], name="workflow_is_one_of_its_kind"),
            models.CheckConstraint(
                name="workflow_kind_is_known",
                condition=models.Q(kind__in=["provision", "delete"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.tenant}"


class TenantStep(models.Model):
    """One step of a workflow. One that is `running` may be left by a runner that was killed."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"  # tried often enough: somebody has to look

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workflow = models.ForeignKey(TenantWorkflow, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=40)
    state = models.CharField(max_length=20, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)  # of the last attempt
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)  # a code and a sentence of ours

    class Meta:
        constraints = [
            SharedTable(name="tenants_tenantstep_shared", read="platform"),
            models.UniqueConstraint(fields=["workflow", "name"], name="step_is_once_in_workflow"),
            models.CheckConstraint(
                name="step_state_is_known",
                condition=models.Q(state__in=["waiting", "running", "done", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class EmergencyLock(models.Model):
    """Data that answers 503 until somebody lifts the lock: a tenant's, or everybody's."""

    tenant = models.OneToOneField(
        Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="emergency_lock"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [
            SharedTable(name="tenants_emergencylock_shared", read="platform"),
            models.UniqueConstraint(
                models.Value(1),
                name="platform_lock_is_one",
                condition=models.Q(tenant__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.tenant_id or "platform")
