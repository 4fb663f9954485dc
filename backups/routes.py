"""Backups and restorations; relative to `/api/v1/`."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from backups.api import BackupViewSet, RestorationViewSet

_router = SimpleRouter()
_router.register("backups", BackupViewSet, basename="backup")
_router.register("restorations", RestorationViewSet, basename="restoration")

urlpatterns = [path("", include(_router.urls))]
