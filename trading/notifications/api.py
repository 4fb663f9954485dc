"""`/api/v1/notifications/`: what happened to the caller, newest first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.permissions import Trading
from config.api.pagination import CursorPages
from tenants import context
from tenants.fullness import works_when_full
from tenants.viewsets import TenantViewSet
from trading.errors import NotFound
from trading.notifications import actions
from trading.notifications.models import Notification


class NotificationOut(serializers.ModelSerializer[Notification]):
    """`kind` is the `type` of the stream's message, and `id` is good as its `last_id`."""

    class Meta:
        model = Notification
        fields = ("id", "number", "kind", "at", "data", "read_at")


class ReadOut(serializers.Serializer[Any]):
    read = serializers.IntegerField()


class NotificationFilter(filters.FilterSet):  # type: ignore[misc]  # it has no types
    kind = filters.CharFilter()
    unread = filters.BooleanFilter(field_name="read_at", lookup_expr="isnull")


class NotificationPages(CursorPages):
    ordering = ("-number",)

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        """No tie to break: a person has every number once."""
        return self.ordering


class NotificationViewSet(mixins.ListModelMixin, TenantViewSet):
    """The caller's own events; nobody else's, whatever the role sees.

    They arrive as they happen on the WebSocket `/ws/v1/stream/`, as `{type, id, at, data}`. It
    takes the access token as sub-protocol (bare, or `bulkhead.token.<token>`) or in a first message
    `{"type": "authenticate", "token": …}`, and answers with a message `authenticated`, whose
    `last_id` is where the stream begins. Who comes back gives the `id` of the last message as
    `last_id`, in the query or beside the token, and gets all that came after it. A message `resync`
    says that the log does not go back that far: read anew what you show.

    Close codes: 1013 come back, with `last_id`; 4400 not understood; 4401 sign in again; 4403
    another tenant's address, or not allowed; 4404 nothing here; 4429 too many sockets of this
    person.
    """

    model = Notification
    permission_classes = [Trading]
    serializer_class = NotificationOut
    pagination_class = NotificationPages
    filterset_class = NotificationFilter
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"

    def narrow(self, rows: QuerySet[Notification]) -> QuerySet[Notification]:
        return rows.filter(user_id=_person())

    @works_when_full
    @extend_schema(request=None, responses=NotificationOut)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Mark as read; the first time counts."""
        seen = actions.mark_read(notification_id=self.get_object().id, now=timezone.now())
        return Response(NotificationOut(seen).data)

    @works_when_full
    @extend_schema(request=None, responses=ReadOut, filters=False)
    @action(detail=False, methods=["post"], url_path="read-all", pagination_class=None)
    def read_all(self, request: Request) -> Response:
        """Mark all as read; tells how many were not."""
        read = actions.mark_all_read(user_id=_person(), now=timezone.now())
        return Response({"read": read})


def _person() -> UUID:
    """Raises NotFound for a job, to which nothing happens."""
    user_id = context.require().actor.user_id
    if user_id is None:
        raise NotFound("Only a person has notifications.")
    return user_id
