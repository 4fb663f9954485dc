"""`/api/v1/auth/signup/`: a tenant of one's own."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access.callers import address_of, device_of
from accounts.login.api import SignedInOut
from accounts.onboarding import actions as onboarding
from config.api.problems import NotFound
from tenants.models import SLUG_PATTERN

# Hosts and paths that mean something else, or would be taken for the platform itself.
_NAMES = """
about account accounts admin api app assets auth billing blog bulkhead cdn dashboard dev docs email
ftp healthz help imap internal localhost login mail media metrics ns1 ns2 platform pop public readyz
root security signup smtp staff static status support system t tenant test ws www
"""
RESERVED = frozenset(_NAMES.split())
_ONE_LINE = RegexValidator(r"^[^\x00-\x1f\x7f]*\Z", "Use one line.")


class SignUpIn(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    otp = serializers.CharField(max_length=32, required=False, default="")
    tenant = serializers.RegexField(
        rf"^{SLUG_PATTERN}\Z", max_length=63, help_text="the label of its address"
    )
    name = serializers.CharField(max_length=120, required=False, validators=[_ONE_LINE])

    def validate_tenant(self, value: str) -> str:
        if value in RESERVED or value.startswith("xn--"):
            raise serializers.ValidationError("This name is reserved.", code="reserved")
        return value


class SignUpView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(request=SignUpIn, responses={201: SignedInOut}, operation_id="signup")
    def post(self, request: Request) -> Response:
        """Who is known gives their own password, and `otp` where they have a second factor."""
        if address_of(request) is not None:
            raise NotFound  # the platform's, not a tenant's
        given = SignUpIn(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        signed_in = onboarding.sign_up(
            email=data["email"],
            password=data["password"],
            otp=data["otp"],
            slug=data["tenant"],
            name=data.get("name") or data["tenant"],
            device=device_of(request),
            now=timezone.now(),
        )
        return Response(SignedInOut(signed_in).data, status=201)
