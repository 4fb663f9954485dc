"""What a tenant answers, on its host, its path, or with its credential on the platform host."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from accounts.tokens import api as tokens
from config.api import problems

auth = [
    path("login/", tokens.LoginView.as_view(), name="login"),
    path("refresh/", tokens.RefreshView.as_view(), name="refresh"),
    path("logout/", tokens.LogoutView.as_view(), name="logout"),
    path("me/", tokens.MeView.as_view(), name="me"),
]
api = [
    path("api/v1/auth/", include(auth)),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/v1/", include("trading.routes")),
]
last = [re_path("", problems.page_not_found)]
urlpatterns = [*api, *last]

handler400 = "config.api.problems.bad_request"
handler403 = "config.api.problems.permission_denied"
handler404 = "config.api.problems.page_not_found"
handler500 = "config.api.problems.server_error"
