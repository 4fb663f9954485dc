"""`/api/v1/auth/`: log in, refresh, log out, who am I."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access.permissions import SignedIn
from accounts.tokens import actions, queries
from tenants.identity import Identity


class LoginIn(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    tenant = serializers.SlugField(max_length=63, required=False)


class RefreshIn(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=128)


class UserOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()


class TenantOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    tier = serializers.CharField()


class MembershipOut(serializers.Serializer[Any]):
    tenant = TenantOut()
    role = serializers.CharField()


class SessionOut(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="seconds")
    user = UserOut()
    tenant = TenantOut(source="membership.tenant")
    role = serializers.CharField(source="membership.role")
    tenants = MembershipOut(source="memberships", many=True)


class MeOut(serializers.Serializer[Any]):
    user = UserOut()
    tenant = TenantOut()
    role = serializers.CharField()


class LoginView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(request=LoginIn, responses=SessionOut, operation_id="login")
    def post(self, request: Request) -> Response:
        given = LoginIn(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        session = actions.log_in(
            email=data["email"],
            password=data["password"],
            tenant_slug=data.get("tenant"),
            at=_address(request),
            now=timezone.now(),
        )
        return Response(SessionOut(session).data)


class RefreshView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(request=RefreshIn, responses=SessionOut, operation_id="refresh")
    def post(self, request: Request) -> Response:
        given = RefreshIn(data=request.data)
        given.is_valid(raise_exception=True)
        session = actions.refresh(
            token=given.validated_data["refresh"], at=_address(request), now=timezone.now()
        )
        return Response(SessionOut(session).data)


class LogoutView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(request=None, responses={204: None}, operation_id="logout")
    def post(self, request: Request) -> Response:
        actions.log_out(session_id=UUID(_identity(request).session_id))
        return Response(status=204)


class MeView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(responses=MeOut, operation_id="me")
    def get(self, request: Request) -> Response:
        return Response(MeOut(queries.me(_identity(request))).data)


def _identity(request: Request) -> Identity:
    """What `TenantAuthentication` handed on."""
    return cast(Identity, request.auth)


def _address(request: Request) -> UUID | None:
    """The tenant that host or path names."""
    return cast("UUID | None", request._request.tenant_id)  # type: ignore[attr-defined]
