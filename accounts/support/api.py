"""`/api/v1/support-sessions/`: who of the staff may look, since when, until when; open and end."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.callers import caller_of
from accounts.access.permissions import Needs, SteppedUp
from accounts.access.roles import Permission
from accounts.support import actions
from accounts.support.models import SupportSession
from tenants.viewsets import SharedRowsViewSet


class Support(Needs):
    read = Permission.READ_SUPPORT
    write = Permission.OPEN_SUPPORT


class SupportSessionOut(serializers.ModelSerializer[SupportSession]):
    class Meta:
        model = SupportSession
        fields = (
            "id",
            "staff_email",
            "reason",
            "requested_at",
            "opened_at",
            "opened_by_owner",
            "expires_at",
            "ended_at",
        )


class SupportSessionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, SharedRowsViewSet):
    """The platform's staff in this tenant: asked for, open, and past."""

    model = SupportSession
    permission_classes: list[type[BasePermission]] = [Support]
    serializer_class = SupportSessionOut
    ordering = ("-requested_at", "-id")

    def get_permissions(self) -> list[Any]:
        """Who found a token lets nobody else in."""
        opens = self.action == "open"
        return [*super().get_permissions(), *([SteppedUp()] if opens else [])]

    @extend_schema(request=None, responses=SupportSessionOut)
    @action(detail=True, methods=["post"])
    def open(self, request: Request, pk: str) -> Response:
        """Let this member of staff read the tenant for an hour."""
        session = actions.open_by_owner(
            session_id=self.get_object().id, by=caller_of(request).user_id, now=timezone.now()
        )
        return Response(SupportSessionOut(session).data)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """Take the leave back; what is open of it closes at once."""
        chosen: Any = SupportSession.objects.filter(pk=self.get_object().pk)
        actions.end(sessions=chosen, now=timezone.now())
        return Response(status=204)
