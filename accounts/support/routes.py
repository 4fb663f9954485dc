"""Where support sessions are reached, inside a tenant."""

from rest_framework.routers import SimpleRouter

from accounts.support.api import SupportSessionViewSet

router = SimpleRouter()
router.register("support-sessions", SupportSessionViewSet, basename="support-session")
urlpatterns = router.urls
