"""Members, invitations and the tenant's policy; relative to `/api/v1/`."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts.members import api

_router = SimpleRouter()
_router.register("members", api.MemberViewSet, basename="member")
_router.register("invitations", api.InvitationViewSet, basename="invitation")

urlpatterns = [
    path("tenant/policy/", api.TenantPolicyView.as_view(), name="tenant-policy"),
    path("", include(_router.urls)),
]
