"""Proving an email; relative to `/api/v1/auth/`."""

from django.urls import path

from accounts.emails import api

urlpatterns = [
    path("email/", api.EmailView.as_view(), name="email"),
    path("email/confirm/", api.EmailConfirmView.as_view(), name="email-confirm"),
]
