"""`/api/v1/members/`, `/api/v1/invitations/`, `/api/v1/tenant/policy/`, and joining and leaving."""

from __future__ import annotations

from typing import Any, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import queries
from accounts.access.callers import address_of, caller_of
from accounts.access.models import Invitation, Membership, TenantPolicy
from accounts.access.permissions import Members, SignedIn, SteppedUp, TenantPolicyChange
from accounts.access.roles import MEMBERS, Role
from accounts.access.time_zones import LONGEST
from accounts.login.api import MembershipOut
from accounts.members import actions, invitations
from config.api.etags import IF_MATCH, check_match, with_etag
from tenants import origin
from tenants.identity import Identity
from tenants.viewsets import SharedRowsViewSet

ROLES = [role.value for role in MEMBERS]


class MemberChangeIn(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=ROLES, required=False)
    sees_tenant = serializers.BooleanField(
        required=False, help_text="of a viewer: the whole tenant's data; an owner grants it"
    )


class MemberOut(serializers.ModelSerializer[Membership]):
    user = serializers.UUIDField(source="user_id")

    class Meta:
        model = Membership
        fields = ("id", "user", "email", "role", "sees_tenant", "created_at")


class InvitationIn(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(choices=ROLES)


class InvitationOut(serializers.ModelSerializer[Invitation]):
    invited_by = serializers.UUIDField(source="invited_by_id", allow_null=True)

    class Meta:
        model = Invitation
        fields = (
            "id",
            "email",
            "role",
            "invited_by",
            "created_at",
            "expires_at",
            "accepted_at",
            "withdrawn_at",
        )


class InvitationAcceptIn(serializers.Serializer[Any]):
    """A password for who is new here, or the own one of who is not and not signed in."""

    token = serializers.CharField(max_length=500)
    password = serializers.CharField(
        max_length=128, trim_whitespace=False, required=False, default=""
    )


class TenantPolicyIn(serializers.Serializer[Any]):
    """At least one of them."""

    requires_second_factor = serializers.BooleanField(required=False)
    time_zone = serializers.CharField(
        max_length=LONGEST, required=False, help_text="by its IANA name, such as Europe/Berlin"
    )

    def validate(self, attrs: Any) -> Any:
        if not attrs:
            raise serializers.ValidationError("Nothing is to be changed.")
        return attrs


class TenantPolicyOut(serializers.ModelSerializer[TenantPolicy]):
    class Meta:
        model = TenantPolicy
        fields = ("requires_second_factor", "time_zone")


class MemberViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, SharedRowsViewSet):
    """Who belongs to the tenant."""

    model = Membership
    permission_classes = [Members]
    serializer_class = MemberOut
    filterset_fields = ("role", "email")
    ordering_fields = ("created_at", "email")
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"

    @extend_schema(responses=MemberOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return with_etag(request, MemberOut(self.get_object()).data)

    @extend_schema(request=MemberChangeIn, responses=MemberOut, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        """The member's sessions here end at once; owners, admins and grants take a step-up."""
        given = MemberChangeIn(data=request.data)
        given.is_valid(raise_exception=True)
        role = given.validated_data.get("role")
        changed = actions.change(
            membership_id=self.get_object().id,
            by=caller_of(request),
            now=timezone.now(),
            precondition=lambda member: check_match(request, MemberOut(member).data),
            role=Role(role) if role else None,
            sees_tenant=given.validated_data.get("sees_tenant"),
        )
        return with_etag(request, MemberOut(changed).data)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """The member's sessions here end at once, and their API keys are revoked."""
        member = self.get_object()
        actions.remove(membership_id=member.id, by=caller_of(request), now=timezone.now())
        return Response(status=204)


class InvitationViewSet(mixins.ListModelMixin, SharedRowsViewSet):
    """Who has been asked to join."""

    model = Invitation
    permission_classes = [Members]
    serializer_class = InvitationOut
    filterset_fields = ("role", "email")
    ordering_fields = ("created_at", "expires_at")
    lookup_value_regex = "[0-9a-fA-F-]{32,36}"

    @extend_schema(request=InvitationIn, responses={201: InvitationOut})
    def create(self, request: Request) -> Response:
        """Sends the mail; only there is the link. Owners and admins take a step-up."""
        given = InvitationIn(data=request.data)
        given.is_valid(raise_exception=True)
        invitation = invitations.invite(
            email=given.validated_data["email"],
            role=Role(given.validated_data["role"]),
            by=caller_of(request),
            now=timezone.now(),
        )
        return Response(InvitationOut(invitation).data, status=201)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Withdraw it: the link is worth nothing any more."""
        invitation = self.get_object()
        invitations.withdraw(invitation_id=invitation.id, by=caller_of(request), now=timezone.now())
        return Response(status=204)


class TenantPolicyView(APIView):
    """What the tenant asks of everyone in it, and the time zone that its nights are in."""

    permission_classes = [TenantPolicyChange]

    def get_permissions(self) -> list[Any]:
        """Who found a token lets no one in without a second factor."""
        changes = self.request.method == "PATCH"
        return [*super().get_permissions(), *([SteppedUp()] if changes else [])]

    @extend_schema(responses=TenantPolicyOut, operation_id="tenant_policy")
    def get(self, request: Request) -> Response:
        found = queries.policy(caller_of(request).tenant_id)
        return with_etag(request, TenantPolicyOut(found).data)

    @extend_schema(
        request=TenantPolicyIn,
        responses=TenantPolicyOut,
        parameters=[IF_MATCH],
        operation_id="tenant_policy_change",
    )
    def patch(self, request: Request) -> Response:
        """Whoever is signed in without the second factor that is asked for is signed out."""

        def precondition(asked: TenantPolicy) -> None:
            check_match(request, TenantPolicyOut(asked).data)

        given = TenantPolicyIn(data=request.data)
        given.is_valid(raise_exception=True)
        changed = actions.change_policy(
            now=timezone.now(), precondition=precondition, **given.validated_data
        )
        return with_etag(request, TenantPolicyOut(changed).data)


class InvitationAcceptView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        request=InvitationAcceptIn, responses=MembershipOut, operation_id="invitation_accept"
    )
    def post(self, request: Request) -> Response:
        """Log in afterwards."""
        given = InvitationAcceptIn(data=request.data)
        given.is_valid(raise_exception=True)
        membership = invitations.accept(
            token=given.validated_data["token"],
            password=given.validated_data["password"],
            caller=cast("Identity | None", request.auth),
            at=address_of(request),
            address=origin.address.get(),
            now=timezone.now(),
        )
        return Response(MembershipOut(membership).data)


class OwnMembershipView(APIView):
    permission_classes = [SignedIn]

    @extend_schema(request=None, responses={204: None}, operation_id="membership_leave")
    def delete(self, request: Request) -> Response:
        """Leave the tenant: all one's sessions and keys here end."""
        actions.leave(by=caller_of(request), now=timezone.now())
        return Response(status=204)
