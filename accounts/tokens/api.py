"""`/api/v1/api-keys/`: issue, list, rotate, revoke."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.callers import caller_of
from accounts.access.permissions import ApiKeys, SteppedUp
from accounts.access.roles import KeyScope
from accounts.tokens import actions
from accounts.tokens.actions import Issued
from accounts.tokens.keys import plain_network
from accounts.tokens.models import ApiKey
from tenants.viewsets import SharedRowsViewSet

NETWORKS = 50


class NetworkField(serializers.CharField):
    """An IP address or a network in CIDR notation; kept in its one spelling."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return str(plain_network(text))
        except ValueError as fault:
            raise serializers.ValidationError("This is no network, as in 192.0.2.0/24.") from fault


class ApiKeyIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    scope = serializers.ChoiceField(choices=[scope.value for scope in KeyScope])
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    account = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="the only one it is good for"
    )
    addresses = serializers.ListField(
        child=NetworkField(max_length=50), required=False, default=list, max_length=NETWORKS
    )

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("This is past.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["account"] and attrs["scope"] == KeyScope.ADMIN:
            raise serializers.ValidationError("A key of scope admin is bound to no account.")
        return attrs


class ApiKeyOut(serializers.ModelSerializer[ApiKey]):
    scope = serializers.CharField(source="key_scope")
    account = serializers.UUIDField(source="account_id", allow_null=True)
    user = serializers.UUIDField(source="user_id")
    addresses = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = (
            "id",
            "user",
            "name",
            "prefix",
            "scope",
            "account",
            "addresses",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        )


class IssuedKeyOut(ApiKeyOut):
    """The same, and the secret: shown this once."""

    key = serializers.SerializerMethodField(help_text="`Authorization: Api-Key …`")

    class Meta(ApiKeyOut.Meta):
        fields = (*ApiKeyOut.Meta.fields, "key")

    def get_key(self, key: ApiKey) -> str:
        return str(self.context["secret"])


class ApiKeyViewSet(mixins.ListModelMixin, SharedRowsViewSet):
    """The caller's API keys; owners and admins see those of everyone, and may revoke them."""

    model = ApiKey
    permission_classes = [ApiKeys]
    serializer_class = ApiKeyOut
    ordering_fields = ("created_at", "name")
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"

    def get_permissions(self) -> list[Any]:
        """A secret is handed out only to who has just proven themselves."""
        hands_out = self.action in ("create", "rotate")
        return [*super().get_permissions(), *([SteppedUp()] if hands_out else [])]

    def narrow(self, rows: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        """Nobody is given the secret of somebody else's key."""
        if self.action == "rotate":
            return rows.filter(user_id=caller_of(self.request).user_id)
        return rows

    @extend_schema(request=ApiKeyIn, responses={201: IssuedKeyOut})
    def create(self, request: Request) -> Response:
        given = ApiKeyIn(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        issued = actions.issue(
            by=caller_of(request),
            name=data["name"],
            scope=KeyScope(data["scope"]),
            expires_at=data["expires_at"],
            account_id=data["account"],
            addresses=data["addresses"],
            now=timezone.now(),
        )
        return Response(_shown(issued), status=201)

    @extend_schema(request=None, responses=IssuedKeyOut)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """The old secret is refused at once."""
        key = self.get_object()
        issued = actions.rotate(key_id=key.id, by=caller_of(request))
        return Response(_shown(issued))

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Revoke it; revoking twice is no error. An admin does not reach an owner's."""
        key = self.get_object()
        actions.revoke(key_id=key.id, by=caller_of(request), now=timezone.now())
        return Response(status=204)


def _shown(issued: Issued) -> Any:
    return IssuedKeyOut(issued.key, context={"secret": issued.secret}).data
