"""`/api/v1/auth/password/`: change it, or get a new one by mail."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access.callers import caller_of
from accounts.access.permissions import SignedIn
from accounts.passwords import actions
from tenants import origin


class PasswordIn(serializers.Serializer[Any]):
    current = serializers.CharField(max_length=128, trim_whitespace=False)
    new = serializers.CharField(max_length=128, trim_whitespace=False)


class PasswordResetIn(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)


class PasswordResetConfirmIn(serializers.Serializer[Any]):
    user = serializers.UUIDField()
    token = serializers.CharField(max_length=128)
    new = serializers.CharField(max_length=128, trim_whitespace=False)


class PasswordResetOut(serializers.Serializer[Any]):
    detail = serializers.CharField()


class PasswordView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(request=PasswordIn, responses={204: None}, operation_id="password_change")
    def post(self, request: Request) -> Response:
        """All other sessions of the person end, in every tenant; API keys stay good."""
        given = PasswordIn(data=request.data)
        given.is_valid(raise_exception=True)
        actions.change_password(
            caller=caller_of(request),
            current=given.validated_data["current"],
            new=given.validated_data["new"],
            address=origin.address.get(),
            now=timezone.now(),
        )
        return Response(status=204)


class PasswordResetView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        request=PasswordResetIn, responses={202: PasswordResetOut}, operation_id="password_reset"
    )
    def post(self, request: Request) -> Response:
        """The answer is the same whether somebody has this email or not."""
        given = PasswordResetIn(data=request.data)
        given.is_valid(raise_exception=True)
        actions.ask_for_reset(email=given.validated_data["email"], address=origin.address.get())
        said = {"detail": "If somebody here has this email, a mail is on its way."}
        return Response(PasswordResetOut(said).data, status=202)


class PasswordResetConfirmView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        request=PasswordResetConfirmIn,
        responses={204: None},
        operation_id="password_reset_confirm",
    )
    def post(self, request: Request) -> Response:
        """All sessions and API keys of the person end; log-in asks for the second factor."""
        given = PasswordResetConfirmIn(data=request.data)
        given.is_valid(raise_exception=True)
        actions.reset_password(
            user_id=given.validated_data["user"],
            token=given.validated_data["token"],
            new=given.validated_data["new"],
            now=timezone.now(),
        )
        return Response(status=204)
