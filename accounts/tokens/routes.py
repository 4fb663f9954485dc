"""API keys; relative to `/api/v1/`."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts.tokens.api import ApiKeyViewSet

_router = SimpleRouter()
_router.register("api-keys", ApiKeyViewSet, basename="api-key")

urlpatterns = [path("", include(_router.urls))]
