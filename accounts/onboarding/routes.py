"""Signing up; relative to `/api/v1/auth/`."""

from django.urls import path

from accounts.onboarding import api

urlpatterns = [path("signup/", api.SignUpView.as_view(), name="signup")]
