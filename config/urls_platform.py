"""What the platform host answers: all of a tenant's API, and the platform's own pages."""

from django.contrib import admin
from django.urls import include, path

from config import health
from config.urls import api, handler400, handler403, handler404, handler500, last

urlpatterns = [
    path("healthz", health.process),
    path("readyz", health.readiness),
    path("admin/", admin.site.urls),
    path("", include("accounts.mailed.routes")),
    *api,
    *last,
]

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
