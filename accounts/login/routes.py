"""Log-in, and what a person does with sessions; relative to `/api/v1/auth/`."""

from django.urls import path

from accounts.login import api

urlpatterns = [
    path("login/", api.LoginView.as_view(), name="login"),
    path("refresh/", api.RefreshView.as_view(), name="refresh"),
    path("logout/", api.LogoutView.as_view(), name="logout"),
    path("me/", api.MeView.as_view(), name="me"),
    path("switch/", api.SwitchView.as_view(), name="switch"),
    path("step-up/", api.StepUpView.as_view(), name="step-up"),
    path("sessions/", api.SessionsView.as_view(), name="sessions"),
    path("sessions/<uuid:session_id>/", api.SessionView.as_view(), name="session"),
]
