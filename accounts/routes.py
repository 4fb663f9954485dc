"""The API's routes of accounts, in one table."""

from django.urls import include, path

urlpatterns = [
    path("", include("accounts.members.routes")),
    path("", include("accounts.tokens.routes")),
    path("", include("accounts.audit.routes")),
    path("", include("accounts.support.routes")),
    path("", include("accounts.usage.routes")),
]
