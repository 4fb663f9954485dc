"""What the staff may do to a tenant, as a table: a button, what it says, and the one action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.members import actions as members
from accounts.staff import actions as staff
from accounts.staff import forms, naming
from accounts.staff.situation import Situation, deletes_after_a_backup
from accounts.suspension import actions as suspension
from accounts.users.models import User
from tenants.deletion import actions as deletion
from tenants.lifecycle import actions as lifecycle
from tenants.lifecycle import plans
from tenants.models import Tenant, TenantWorkflow
from tenants.moving import starting

Status, Kind = Tenant.Status, TenantWorkflow.Kind
_SETTLED = (Status.ACTIVE, Status.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Asked:
    """A change as somebody of the staff has asked for it."""

    situation: Situation
    given: dict[str, Any]
    person: User
    address: str
    now: datetime

    @property
    def tenant(self) -> Tenant:
        return self.situation.tenant

    @property
    def by(self) -> str:
        return naming.actor_of(self.person).name


@dataclass(frozen=True, slots=True)
class Change:
    """One button. `says` is what the page before it tells; `done`, what the one after it does."""

    code: str
    label: str
    says: tuple[str, ...]
    done: str
    is_offered: Callable[[Situation], bool]
    carry_out: Callable[[Asked], object]
    form: type[forms.AboutTenant] = forms.AboutTenant
    is_grave: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """With what depends on how the platform is set up."""
        backup = "A last backup is taken first."
        return (backup, *self.says) if self.is_grave and deletes_after_a_backup() else self.says


def offered(situation: Situation) -> list[Change]:
    """Those that make sense now."""
    return [change for change in CHANGES if change.is_offered(situation)]


def named(code: str) -> Change | None:
    return next((change for change in CHANGES if change.code == code), None)


def _is_at_rest(here: Situation) -> bool:
    return here.tenant.status in _SETTLED and here.move is None


def _lives(here: Situation, placement: Tenant.Placement) -> bool:
    return _is_at_rest(here) and here.tenant.placement == placement


def _has_failed(here: Situation, kind: TenantWorkflow.Kind) -> bool:
    return here.has_failed and here.workflow is not None and here.workflow.kind == kind


def _is_deletable(here: Situation) -> bool:
    return here.tenant.status in (*_SETTLED, Status.PROVISIONING) and here.move is None


def _goes_on(here: Situation) -> bool:
    return here.move is not None and not here.move.given_up_by


def _can_be_given_up(here: Situation) -> bool:
    """Before the switch, and once; again where taking it back has broken off."""
    if here.move is None or here.move.has_switched:
        return False
    return not here.move.given_up_by or bool(here.move.error)


def _change_plan(asked: Asked) -> None:
    plans.assign(tenant=asked.tenant, plan=asked.given["plan"], by=asked.by)


def _change_time_zone(asked: Asked) -> None:
    by, given = naming.actor_of(asked.person), asked.given["time_zone"]
    members.change_time_zone(tenant=asked.tenant, time_zone=given, by=by)


def _move(asked: Asked) -> None:
    starting.move(tenant=asked.tenant, plan=asked.given["plan"], by=asked.by, now=asked.now)


def _go_on(asked: Asked) -> None:
    under_way = asked.situation.move
    plan = under_way.plan_id if under_way else asked.tenant.plan_id
    starting.move(tenant=asked.tenant, plan=plan, by=asked.by, now=asked.now)


def _give_up(asked: Asked) -> None:
    starting.give_up(tenant=asked.tenant, by=asked.by)


def _suspend(asked: Asked) -> None:
    by, reason = naming.actor_of(asked.person), asked.given["reason"]
    suspension.suspend_tenant(tenant=asked.tenant, reason=reason, by=by, now=asked.now)


def _resume(asked: Asked) -> None:
    suspension.resume_tenant(tenant=asked.tenant, by=naming.actor_of(asked.person), now=asked.now)


def _make_again(asked: Asked) -> None:
    tenant, begun = asked.tenant, asked.situation.workflow
    lifecycle.start_provisioning(
        slug=tenant.slug,
        name=tenant.name,
        tier=tenant.tier,
        owner_email=begun.owner_email if begun else "",
        region=tenant.region,
        by=asked.by,
        now=asked.now,
    )


def _delete_again(asked: Asked) -> None:
    deletion.start(tenant=asked.tenant, by=asked.by, now=asked.now)


def _delete(asked: Asked) -> None:
    staff.delete_tenant(
        tenant=asked.tenant,
        person=asked.person,
        otp=asked.given["otp"],
        address=asked.address,
        now=asked.now,
    )


CHANGES = (
    Change(
        "make-again",
        "Try again",
        ("The step that failed is tried again, and then those after it.",),
        "It is being tried again.",
        lambda here: _has_failed(here, Kind.PROVISION),
        _make_again,
    ),
    Change(
        "delete-again",
        "Try again to delete",
        ("The step that failed is tried again, and then those after it.",),
        "It is being tried again.",
        lambda here: _has_failed(here, Kind.DELETE),
        _delete_again,
    ),
    Change(
        "go-on",
        "Go on with the move",
        ("The move goes on after its last step that is done. The tenant works meanwhile.",),
        "The move goes on.",
        _goes_on,
        _go_on,
    ),
    Change(
        "give-up",
        "Give up the move",
        ("What was copied is removed.", "The tenant stays where it is, and works meanwhile."),
        "The move is being given up.",
        _can_be_given_up,
        _give_up,
    ),
    Change(
        "plan",
        "Change plan",
        ("The new limits hold from the next request on.", "Its rows stay where they are."),
        "The plan was changed.",
        _is_at_rest,
        _change_plan,
        forms.PlanForm,
    ),
    Change(
        "time-zone",
        "Change time zone",
        ("Its backups are taken in its nights, from 02:00 on.", "Its owner can change it, too."),
        "The time zone was changed.",
        _is_at_rest,
        _change_time_zone,
        forms.TimeZoneForm,
    ),
    Change(
        "graduate",
        "Graduate",
        (
            "All its rows are copied into a schema of its own, and compared.",
            "The tenant works meanwhile, but for a moment when it is switched over.",
            "Then the old rows are removed.",
        ),
        "The tenant is being moved.",
        lambda here: _lives(here, Tenant.Placement.SHARED),
        _move,
        forms.PlanElsewhereForm,
    ),
    Change(
        "demote",
        "Demote",
        (
            "All its rows are copied into the shared tables, and compared.",
            "The tenant works meanwhile, but for a moment when it is switched over.",
            "Then its own schema is removed.",
        ),
        "The tenant is being moved.",
        lambda here: _lives(here, Tenant.Placement.DEDICATED),
        _move,
        forms.PlanElsewhereForm,
    ),
    Change(
        "suspend",
        "Suspend",
        (
            "Nobody gets into the tenant any more, neither by log-in nor by key.",
            "All sessions end at once.",
            "Its rows stay, and you can resume it at any time.",
        ),
        "The tenant is suspended.",
        lambda here: here.tenant.status == Status.ACTIVE,
        _suspend,
        forms.ReasonForm,
    ),
    Change(
        "resume",
        "Resume",
        ("People can log in again, and keys work again.",),
        "The tenant is active again.",
        lambda here: here.tenant.status == Status.SUSPENDED,
        _resume,
    ),
    Change(
        "delete",
        "Delete",
        (
            "Nobody gets into the tenant from then on.",
            "Its rows, files, memberships and keys are removed for good.",
            "Its short name stays taken.",
        ),
        "The tenant is being deleted.",
        _is_deletable,
        _delete,
        forms.DeleteForm,
        is_grave=True,
    ),
)
