"""`/api/v1/auth/mfa/`: add a second factor, remove it, and codes for its loss."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access.callers import caller_of
from accounts.access.permissions import SignedIn
from accounts.mfa import queries, signed_in
from tenants import origin


class EnrolIn(serializers.Serializer[Any]):
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class OtpIn(serializers.Serializer[Any]):
    """A code of the authenticator; where it has been confirmed, a recovery code does as well."""

    otp = serializers.CharField(max_length=32, required=False, default="", allow_blank=True)


class EnrolledOut(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="base32")
    uri = serializers.CharField(help_text="for a QR code")


class RecoveryCodesOut(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(child=serializers.CharField())


class ConfirmedOut(RecoveryCodesOut):
    access = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="seconds")


class RecoveryCodesLeftOut(serializers.Serializer[Any]):
    left = serializers.IntegerField()


class TotpView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(request=EnrolIn, responses={201: EnrolledOut}, operation_id="totp_enrol")
    def post(self, request: Request) -> Response:
        """It counts once confirmed; until then another call replaces it."""
        given = EnrolIn(data=request.data)
        given.is_valid(raise_exception=True)
        enrolled = signed_in.enrol(
            caller=caller_of(request),
            password=given.validated_data["password"],
            address=origin.address.get(),
            now=timezone.now(),
        )
        return Response(EnrolledOut(enrolled).data, status=201)

    @extend_schema(responses={204: None}, operation_id="totp_remove")
    def delete(self, request: Request) -> Response:
        """With `{"otp": …}` as the body."""
        signed_in.remove(
            caller=caller_of(request),
            otp=_otp(request),
            address=origin.address.get(),
            now=timezone.now(),
        )
        return Response(status=204)


class TotpConfirmView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(request=OtpIn, responses=ConfirmedOut, operation_id="totp_confirm")
    def post(self, request: Request) -> Response:
        """The recovery codes are shown this once; the access token replaces the caller's."""
        confirmed = signed_in.confirm(
            caller=caller_of(request),
            otp=_otp(request),
            address=origin.address.get(),
            now=timezone.now(),
        )
        answer = {
            "access": confirmed.access,
            "expires_in": settings.ACCESS_TOKEN_SECONDS,
            "recovery_codes": confirmed.recovery_codes,
        }
        return Response(ConfirmedOut(answer).data)


class RecoveryCodesView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(responses=RecoveryCodesLeftOut, operation_id="recovery_codes_left")
    def get(self, request: Request) -> Response:
        left = queries.recovery_codes_left(caller_of(request).user_id)
        return Response(RecoveryCodesLeftOut({"left": left}).data)

    @extend_schema(
        request=OtpIn, responses={201: RecoveryCodesOut}, operation_id="recovery_codes_renew"
    )
    def post(self, request: Request) -> Response:
        """New ones in the place of the old; shown this once."""
        codes = signed_in.renew_recovery_codes(
            caller=caller_of(request),
            otp=_otp(request),
            address=origin.address.get(),
            now=timezone.now(),
        )
        return Response(RecoveryCodesOut({"recovery_codes": codes}).data, status=201)


def _otp(request: Request) -> str:
    given = OtpIn(data=request.data)
    given.is_valid(raise_exception=True)
    return str(given.validated_data["otp"])
