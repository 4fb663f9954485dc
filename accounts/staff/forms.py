"""The forms at the staff's door: what is asked there; what it opens is an action's to say."""

from __future__ import annotations

from django import forms


class PasswordForm(forms.Form):
    """Who somebody says they are, and the password."""

    email = forms.EmailField(widget=forms.EmailInput(attrs={"autofocus": True}))
    password = forms.CharField(max_length=128, strip=False, widget=forms.PasswordInput)


class CodeForm(forms.Form):
    """A code of the authenticator; the first one confirms an authenticator that is being added."""

    otp = forms.CharField(
        label="Code", max_length=32, widget=forms.TextInput(attrs={"autofocus": True})
    )
