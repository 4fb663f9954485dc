"""`/api/v1/backups/` and `/api/v1/restorations/`: a tenant's own, for those in charge of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.callers import caller_of
from accounts.access.permissions import Needs, SteppedUp
from accounts.access.roles import Permission
from backups import asking
from backups.errors import ExportNotReady, NoBackup, TooManyBackups
from backups.models import Backup, Restoration
from config.api import ranges
from config.api.pagination import CursorPages
from config.api.parameters import check_known
from config.api.ranges import RangeNotSatisfiable, Wanted
from config.api.schema import refused_with
from config.api.streams import Attachment
from tenants.viewsets import SharedRowsViewSet

_PK = "[0-9a-fA-F-]{32,36}"
TAR, ZIP = "application/x-tar", "application/zip"
_FILE: dict[str, Any] = {"pagination_class": None, "filter_backends": []}


class Backups(Needs):
    read = Permission.READ_BACKUPS
    write = Permission.TAKE_BACKUPS


class TakingAlong(Needs):
    read = Permission.EXPORT_BACKUPS
    write = Permission.EXPORT_BACKUPS


class Restoring(Needs):
    read = Permission.READ_BACKUPS
    write = Permission.RESTORE_BACKUPS


class BackupOut(serializers.ModelSerializer[Backup]):
    class Meta:
        model = Backup
        fields = (
            "id",
            "reason",
            "status",
            "asked_by",
            "asked_at",
            "taken_at",
            "finished_at",
            "rows",
            "size",
            "sha256",
            "fault",
            "export_asked_at",
            "export_until",
            "verified_at",
            "verified_fault",
        )


class RestorationOut(serializers.ModelSerializer[Restoration]):
    backup = serializers.UUIDField(source="backup_id")
    undo = serializers.UUIDField(
        source="undo_id", allow_null=True, help_text="the backup of the state before"
    )

    class Meta:
        model = Restoration
        fields = ("id", "backup", "status", "step", "asked_at", "finished_at", "undo", "fault")


class NewestPages(CursorPages):
    ordering = ("-asked_at", "-id")


class BackupViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, SharedRowsViewSet):
    """The tenant's backups, newest first."""

    model = Backup
    permission_classes: list[type[BasePermission]] = [Backups]
    serializer_class = BackupOut
    pagination_class = NewestPages
    ordering_fields = ("asked_at",)
    lookup_value_regex = _PK

    @extend_schema(request=None, responses={202: BackupOut})
    @refused_with(TooManyBackups)
    def create(self, request: Request) -> Response:
        """Taken as soon as a worker comes to it; asked for again meanwhile, it is the same one. So
        many within 24 hours (429 `too_many_backups`), without those that failed."""
        asked = asking.backup(now=timezone.now())
        return Response(BackupOut(asked).data, status=202)

    @extend_schema(request=None, responses={202: RestorationOut})
    @action(detail=True, methods=["post"], permission_classes=[Restoring, SteppedUp])
    def restore(self, request: Request, pk: str) -> Response:
        """Put the tenant back to it, after a backup of how it is; one at a time."""
        asked = asking.restoration(
            backup_id=self.get_object().id, by=caller_of(request), now=timezone.now()
        )
        return Response(RestorationOut(asked).data, status=202)

    @extend_schema(
        parameters=[*ranges.PARAMETERS],
        responses={(200, TAR): OpenApiTypes.BINARY, (206, TAR): OpenApiTypes.BINARY},
    )
    @action(detail=True, permission_classes=[TakingAlong, SteppedUp], **_FILE)
    @refused_with(RangeNotSatisfiable)
    def download(self, request: Request, pk: str) -> Attachment:
        """The backup as it is kept: a tar of the archive and what else it takes to hand it back to
        us. It is sealed; `export` is for reading. What was broken off goes on by `Range`."""
        check_known(request, ())
        parcel = asking.download(
            backup_id=_id(pk), by=caller_of(request), wanted=Wanted.of(request)
        )
        return Attachment(
            parcel,
            name=parcel.name,
            content_type=TAR,
            size=parcel.size,
            tag=parcel.tag,
            part=parcel.part,
        )

    @extend_schema(request=None, responses={202: BackupOut})
    @action(detail=True, methods=["post"], permission_classes=[TakingAlong, SteppedUp])
    def export(self, request: Request, pk: str) -> Response:
        """Have the backup opened for reading: ready once `export_until` is set, and until then."""
        asked = asking.export(backup_id=_id(pk), by=caller_of(request), now=timezone.now())
        return Response(BackupOut(asked).data, status=202)

    @extend_schema(responses={(200, ZIP): OpenApiTypes.BINARY})
    @action(
        detail=True,
        url_path="export/download",
        permission_classes=[TakingAlong, SteppedUp],
        **_FILE,
    )
    @refused_with(ExportNotReady)
    def exported(self, request: Request, pk: str) -> Attachment:
        """All rows of the backup: a zip with a CSV file for each table, and a manifest in JSON.
        Secrets are not in it."""
        check_known(request, ())
        parcel = asking.exported(backup_id=_id(pk), by=caller_of(request), now=timezone.now())
        return Attachment(parcel, name=parcel.name, content_type=ZIP)


def _id(pk: str) -> UUID:
    """What is no id is as missing as one that is nobody's. Raises NoBackup."""
    try:
        return UUID(pk)
    except ValueError as fault:
        raise NoBackup from fault


class RestorationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, SharedRowsViewSet):
    """How far the tenant's restorations are, newest first."""

    model = Restoration
    permission_classes = [Backups]
    serializer_class = RestorationOut
    pagination_class = NewestPages
    ordering_fields = ("asked_at",)
    lookup_value_regex = _PK
