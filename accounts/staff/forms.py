"""What the staff is asked, at the door and for tenants; what it leads to is an action's to say."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings

from accounts.access import queries as access
from accounts.access import time_zones
from tenants.models import SLUG_PATTERN, Plan, Tenant


class PasswordForm(forms.Form):
    """Who somebody says they are, and the password."""

    email = forms.EmailField(widget=forms.EmailInput(attrs={"autofocus": True}))
    password = forms.CharField(
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """A code of the authenticator; the first one confirms an authenticator that is being added."""

    otp = forms.CharField(
        label="Code", max_length=32, widget=forms.TextInput(attrs={"autofocus": True})
    )


class NewTenantForm(forms.Form):
    """A tenant, whom it is for, and on what terms."""

    slug = forms.RegexField(
        rf"^{SLUG_PATTERN}\Z",
        max_length=63,
        label="Short name",
        help_text="The label of its address: small letters, digits and dashes. It stays for good.",
        error_messages={"invalid": "Small letters, digits and dashes, with none at either end."},
        widget=forms.TextInput(attrs={"autofocus": True, "autocapitalize": "none"}),
    )
    name = forms.CharField(max_length=120, help_text="As people know the customer.")
    owner_email = forms.EmailField(
        label="Owner's email",
        help_text="Who is known becomes the owner; who is not gets an invitation by mail.",
    )
    plan = forms.ChoiceField(help_text="How much the tenant may use, and where its rows live.")
    region = forms.ChoiceField(help_text="Where the tenant's data is.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "plan", _named(Plan.objects.order_by("requests_per_minute")))
        _offer(self, "region", [(name, name) for name in settings.REGIONS])


class AboutTenant(forms.Form):
    """A question about one tenant; this one asks no more than whether it is meant."""

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = tenant


class ReasonForm(AboutTenant):
    reason = forms.CharField(
        max_length=200, help_text="Its people are not shown this; your colleagues are."
    )


class TimeZoneForm(AboutTenant):
    time_zone = forms.ChoiceField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "time_zone", [(name, name) for name in sorted(time_zones.names())])
        self.fields["time_zone"].initial = access.policy(self.tenant.pk).time_zone


class PlanForm(AboutTenant):
    """Another plan for tenants that live where this one does."""

    leads_elsewhere = False
    plan = forms.ChoiceField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_dedicated = self.tenant.placement == Tenant.Placement.DEDICATED
        fitting = Plan.objects.filter(has_own_schema=is_dedicated != self.leads_elsewhere)
        _offer(self, "plan", _named(fitting.exclude(pk=self.tenant.plan_id)))


class PlanElsewhereForm(PlanForm):
    """A plan for tenants that live on the other side."""

    leads_elsewhere = True


class DeleteForm(AboutTenant):
    """The tenant's short name, typed, and a second factor, shown now."""

    slug = forms.CharField(
        max_length=63,
        label="Short name of the tenant",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    otp = forms.CharField(
        label="Code",
        max_length=32,
        help_text="A fresh one of your authenticator, or a recovery code.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if slug != self.tenant.slug:
            raise forms.ValidationError("That is another name than this tenant's.")
        return slug


def _offer(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    cast(forms.ChoiceField, form.fields[name]).choices = choices


def _named(plans: Any) -> list[tuple[str, str]]:
    return [
        (
            plan.pk,
            f"{plan.name} – {'a schema of its own' if plan.has_own_schema else 'shared tables'}",
        )
        for plan in plans
    ]
