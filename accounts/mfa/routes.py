"""Second factors; relative to `/api/v1/auth/`."""

from django.urls import path

from accounts.mfa import api

urlpatterns = [
    path("mfa/totp/", api.TotpView.as_view(), name="totp"),
    path("mfa/totp/confirm/", api.TotpConfirmView.as_view(), name="totp-confirm"),
    path("mfa/recovery-codes/", api.RecoveryCodesView.as_view(), name="recovery-codes"),
]
