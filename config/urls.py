"""What a tenant answers, on its host, its path, or with its credential on the platform host."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from config.api import problems
from config.api.description import DescriptionView

auth: list[URLPattern | URLResolver] = [
    path("", include("accounts.login.routes")),
    path("", include("accounts.members.auth_routes")),
    path("", include("accounts.onboarding.routes")),
    path("", include("accounts.mfa.routes")),
    path("", include("accounts.passwords.routes")),
    path("", include("accounts.emails.routes")),
]
# The package's page, without its inline style.
docs = SpectacularSwaggerSplitView.as_view(
    url_name="schema", template_name="docs.html", http_method_names=["get", "head"]
)
api = [
    path("api/v1/auth/", include(auth)),
    path("api/v1/schema/", DescriptionView.as_view(), name="schema"),
    path("api/v1/docs/", docs, name="docs"),
    path("api/v1/", include("accounts.routes")),
    path("api/v1/", include("trading.routes")),
    path("api/v1/", include("backups.routes")),
]
last = [re_path("", problems.page_not_found)]
urlpatterns = [*api, *last]

handler400 = "config.api.problems.bad_request"
handler403 = "config.api.problems.permission_denied"
handler404 = "config.api.problems.page_not_found"
handler500 = "config.api.problems.server_error"
