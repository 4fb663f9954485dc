"""Joining a tenant and leaving it; relative to `/api/v1/auth/`."""

from django.urls import path

from accounts.members import api

urlpatterns = [
    path("invitations/accept/", api.InvitationAcceptView.as_view(), name="invitation-accept"),
    path("membership/", api.OwnMembershipView.as_view(), name="own-membership"),
]
