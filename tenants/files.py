"""Files of tenants: each under a folder named by the tenant's id, and none outside it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage
from django.utils._os import safe_join

from tenants import context
from tenants.errors import OutsideTenantFiles


class TenantStorage(FileSystemStorage):
    """Names are relative to the entered tenant's folder. Raises NoTenantContext outside one."""

    def folder_of(self, tenant_id: UUID) -> Path:
        """Where all files of one tenant are, for who takes them away as a whole."""
        return Path(self.location) / "tenants" / str(tenant_id)

    def path(self, name: str) -> str:
        """The place on disk. Raises OutsideTenantFiles for a name that leads out of the folder."""
        try:
            return safe_join(self.folder_of(context.require().tenant_id), name)
        except SuspiciousFileOperation as fault:
            raise OutsideTenantFiles from fault

    def held_bytes(self) -> int:
        """Bytes of all files of the entered tenant. Raises NoTenantContext."""
        total = 0
        for file in Path(self.path("")).rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                total += file.stat().st_size if file.is_file() else 0
        return total

    def url(self, name: str | None) -> Any:
        """Files are served by views that know the tenant, never by address."""
        raise OutsideTenantFiles
