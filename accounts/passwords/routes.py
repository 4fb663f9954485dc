"""Passwords; relative to `/api/v1/auth/`."""

from django.urls import path

from accounts.passwords import api

urlpatterns = [
    path("password/", api.PasswordView.as_view(), name="password"),
    path("password/reset/", api.PasswordResetView.as_view(), name="password-reset"),
    path(
        "password/reset/confirm/",
        api.PasswordResetConfirmView.as_view(),
        name="password-reset-confirm",
    ),
]
