"""The API's routes of the audit trail."""

from rest_framework.routers import SimpleRouter

from accounts.audit.api import AuditViewSet

router = SimpleRouter()
router.register("audit-log", AuditViewSet, basename="audit-event")

urlpatterns = router.urls
