"""`/api/v1/auth/email/`: prove that an email is one's own."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access.callers import caller_of
from accounts.access.permissions import SignedIn
from accounts.emails import actions


class EmailConfirmIn(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=800)


class EmailMailedOut(serializers.Serializer[Any]):
    detail = serializers.CharField()


class EmailView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(request=None, responses={202: EmailMailedOut}, operation_id="email_mail_again")
    def post(self, request: Request) -> Response:
        """Mail the link once more, to who has not proven their email."""
        actions.announce_again(caller=caller_of(request))
        said = {"detail": "If your email is not proven yet, a mail is on its way."}
        return Response(EmailMailedOut(said).data, status=202)


class EmailConfirmView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(request=EmailConfirmIn, responses={204: None}, operation_id="email_confirm")
    def post(self, request: Request) -> Response:
        """With the token of the mail; signed in, so that mailbox and account are in one hand."""
        given = EmailConfirmIn(data=request.data)
        given.is_valid(raise_exception=True)
        actions.confirm(
            caller=caller_of(request), token=given.validated_data["token"], now=timezone.now()
        )
        return Response(status=204)
