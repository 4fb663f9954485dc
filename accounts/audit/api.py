"""`/api/v1/audit-log/`: a tenant's trail, for those in charge of it."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.permissions import Needs, SteppedUp
from accounts.access.roles import Permission
from accounts.audit import actions, csv_export
from accounts.audit.models import AuditEvent
from config.api.pagination import CursorPages
from config.api.problems import Forbidden
from config.api.schema import refused_with
from tenants import context
from tenants.viewsets import TenantViewSet


class Audit(Needs):
    read = Permission.READ_AUDIT


class AuditEventOut(serializers.ModelSerializer[AuditEvent]):
    class Meta:
        model = AuditEvent
        fields = (
            "id",
            "at",
            "actor",
            "actor_id",
            "action",
            "kind",
            "key",
            "before",
            "after",
            "address",
            "request_id",
        )


class AuditFilter(filters.FilterSet):  # type: ignore[misc]  # it has no types
    """`at_after` and `at_before` include their ends."""

    action = filters.CharFilter()
    actor_id = filters.UUIDFilter()
    kind = filters.CharFilter()
    key = filters.CharFilter()
    at = filters.IsoDateTimeFromToRangeFilter()


class AuditPages(CursorPages):
    ordering = ("-at", "-id")


class CsvRenderer(JSONRenderer):
    """Hands text on as it is; a problem document stays JSON."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return data.encode() if isinstance(data, str) else super().render(data, *args, **kwargs)


class AuditViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, TenantViewSet):
    """Everything done in the tenant, newest first."""

    model = AuditEvent
    permission_classes = [Audit]
    serializer_class = AuditEventOut
    pagination_class = AuditPages
    filterset_class = AuditFilter
    ordering_fields = ("at",)
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"

    @extend_schema(
        responses={
            (200, "text/csv"): OpenApiResponse(
                OpenApiTypes.STR,
                description=f"At most {csv_export.MOST_ROWS} events; more answer 422.",
            )
        }
    )
    @action(
        detail=False,
        permission_classes=[Audit, SteppedUp],
        renderer_classes=[CsvRenderer, JSONRenderer],
        pagination_class=None,
    )
    @refused_with(csv_export.ExportTooLarge)
    def export(self, request: Request) -> Response:
        """The same events as a CSV file; taking it is recorded too."""
        if context.require().is_read_only:
            raise Forbidden("This credential may not write, not even that it took the trail along.")
        rows = self.filter_queryset(self.get_queryset())
        text = csv_export.written(rows.order_by("-at", "-id"))
        known = AuditFilter.base_filters
        asked = {n: request.query_params[n] for n in request.query_params if n in known}
        actions.record("audit.exported", kind="auditevent", after={"filters": asked})
        headers = {"Content-Disposition": 'attachment; filename="audit-log.csv"'}
        return Response(text, content_type="text/csv; charset=utf-8", headers=headers)
