"""The two forms at the staff's door; guessing is counted as at the API's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.utils import timezone

from accounts.access.errors import WrongLogin
from accounts.mfa import actions as mfa
from accounts.mfa.errors import SecondFactorNeeded, WrongSecondFactor
from accounts.sessions import guessing
from accounts.users import actions as users
from accounts.users.models import User
from config.api.errors import DomainError

_WRONG_CODE = (SecondFactorNeeded, WrongSecondFactor)


class PasswordForm(forms.Form):
    """Gives `person`, who is staff and knows the password."""

    email = forms.EmailField(widget=forms.EmailInput(attrs={"autofocus": True}))
    password = forms.CharField(max_length=128, strip=False, widget=forms.PasswordInput)
    person: User

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = address

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.errors:
            return given
        email = given["email"]
        with _told(), guessing.counted(account=email, address=self.address, wrong=(WrongLogin,)):
            person = users.authenticate(email=email, password=given["password"])
            if person is None or not person.is_staff:
                raise WrongLogin("Email or password is not right.")
        self.person = person
        return given


class CodeForm(forms.Form):
    """A code of the authenticator; the first one confirms an authenticator that is being added."""

    otp = forms.CharField(
        label="Code", max_length=32, widget=forms.TextInput(attrs={"autofocus": True})
    )

    def __init__(self, *args: Any, person: User, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person, self.address = person, address
        self.recovery_codes: list[str] = []

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.errors:
            return given
        # With the password, which opened the session that this form is shown in, these are all.
        counted = guessing.counted(
            account=self.person.email, address=self.address, wrong=_WRONG_CODE, forgives=True
        )
        with _told(), counted:
            self._check(given["otp"])
        return given

    def _check(self, otp: str) -> None:
        now = timezone.now()
        if mfa.has_authenticator(self.person.id):
            mfa.check(user_id=self.person.id, otp=otp, now=now)
        else:
            self.recovery_codes = mfa.confirm(user_id=self.person.id, otp=otp, now=now)


@contextmanager
def _told() -> Iterator[None]:
    """Says a domain error at the form."""
    try:
        yield
    except DomainError as fault:
        raise forms.ValidationError(fault.detail) from fault
