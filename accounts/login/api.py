"""`/api/v1/auth/`: log in, refresh, switch, step up, log out, sessions, who am I."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access.callers import address_of, caller_of, device_of
from accounts.access.permissions import SignedIn
from accounts.login import actions
from accounts.sessions import queries
from accounts.sessions.models import Session
from config.api.problems import NotFound


class LoginIn(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    otp = serializers.CharField(max_length=32, required=False, default="")
    tenant = serializers.SlugField(max_length=63, required=False)


class StepUpIn(serializers.Serializer[Any]):
    """The second factor of who has one, else the password."""

    password = serializers.CharField(
        max_length=128, trim_whitespace=False, required=False, default=""
    )
    otp = serializers.CharField(max_length=32, required=False, default="")


class SwitchIn(serializers.Serializer[Any]):
    tenant = serializers.SlugField(max_length=63)


class RefreshIn(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=128)


class UserOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    is_email_proven = serializers.BooleanField()


class TenantOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    tier = serializers.CharField()


class MembershipOut(serializers.Serializer[Any]):
    tenant = TenantOut()
    role = serializers.CharField()


class SignedInOut(serializers.Serializer[Any]):
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
    has_second_factor = serializers.BooleanField()


class SteppedUpOut(serializers.Serializer[Any]):
    access = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="seconds; withdrawals of data only for some")


class SessionOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    address = serializers.IPAddressField(allow_null=True)
    agent = serializers.CharField()
    has_second_factor = serializers.BooleanField()
    is_current = serializers.SerializerMethodField()

    def get_is_current(self, session: Session) -> bool:
        return bool(session.id == self.context["request"].auth.session_id)


class EndedOut(serializers.Serializer[Any]):
    ended = serializers.IntegerField()


class LoginView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(request=LoginIn, responses=SignedInOut, operation_id="login")
    def post(self, request: Request) -> Response:
        given = LoginIn(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        signed_in = actions.log_in(
            email=data["email"],
            password=data["password"],
            otp=data["otp"],
            tenant_slug=data.get("tenant"),
            at=address_of(request),
            device=device_of(request),
            now=timezone.now(),
        )
        return Response(SignedInOut(signed_in).data)


class RefreshView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(request=RefreshIn, responses=SignedInOut, operation_id="refresh")
    def post(self, request: Request) -> Response:
        given = RefreshIn(data=request.data)
        given.is_valid(raise_exception=True)
        signed_in = actions.refresh(
            token=given.validated_data["refresh"],
            at=address_of(request),
            device=device_of(request),
            now=timezone.now(),
            path=request.path,
        )
        return Response(SignedInOut(signed_in).data)


class SwitchView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(request=SwitchIn, responses=SignedInOut, operation_id="switch")
    def post(self, request: Request) -> Response:
        given = SwitchIn(data=request.data)
        given.is_valid(raise_exception=True)
        signed_in = actions.switch(
            caller=caller_of(request),
            tenant_slug=given.validated_data["tenant"],
            device=device_of(request),
            now=timezone.now(),
        )
        return Response(SignedInOut(signed_in).data)


class StepUpView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(request=StepUpIn, responses=SteppedUpOut, operation_id="step_up")
    def post(self, request: Request) -> Response:
        given = StepUpIn(data=request.data)
        given.is_valid(raise_exception=True)
        token = actions.step_up(
            caller=caller_of(request),
            password=given.validated_data["password"],
            otp=given.validated_data["otp"],
            device=device_of(request),
            now=timezone.now(),
        )
        seconds = settings.ACCESS_TOKEN_SECONDS
        return Response(SteppedUpOut({"access": token, "expires_in": seconds}).data)


class LogoutView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(request=None, responses={204: None}, operation_id="logout")
    def post(self, request: Request) -> Response:
        actions.log_out(session_id=caller_of(request).session_id, now=timezone.now())
        return Response(status=204)


class MeView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(responses=MeOut, operation_id="me")
    def get(self, request: Request) -> Response:
        return Response(MeOut(queries.me(caller_of(request))).data)


def _open_sessions(request: Request) -> QuerySet[Session]:
    caller = caller_of(request)
    return queries.open_sessions(
        tenant_id=caller.tenant_id, user_id=caller.user_id, now=timezone.now()
    )


class SessionsView(GenericAPIView[Session]):
    """The caller's own open sessions in this tenant, newest first."""

    permission_classes = [SignedIn]
    serializer_class = SessionOut
    filter_backends = ()

    @extend_schema(responses=SessionOut(many=True), operation_id="sessions_list")
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(_open_sessions(request))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=None, responses={200: EndedOut}, operation_id="sessions_end_all")
    def delete(self, request: Request) -> Response:
        """End all of them, this one included."""
        rows = _open_sessions(request)
        ended = actions.end(sessions=rows, because="ended by the person", now=timezone.now())
        return Response(EndedOut({"ended": ended}).data)


class SessionView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(request=None, responses={204: None}, operation_id="sessions_end")
    def delete(self, request: Request, session_id: UUID) -> Response:
        rows = _open_sessions(request).filter(pk=session_id)
        if not actions.end(sessions=rows, because="ended by the person", now=timezone.now()):
            raise NotFound
        return Response(status=204)
