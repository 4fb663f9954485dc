"""Migration operations for what no model describes: functions, and walls of third-party tables."""

from __future__ import annotations

from django.db import migrations

from tenants import entry
from tenants.rls import SharedWall


class InstallEntry(migrations.RunSQL):
    """Creates `enter_tenant`, the `proven_…`, `refuse_change` and the table of the ticket key."""

    def __init__(self) -> None:
        super().__init__(sql=list(entry.INSTALL), reverse_sql=entry.UNINSTALL)

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return self.__class__.__qualname__, [], {}


class CloseInsideTenants(migrations.RunSQL):
    """Walls off a shared table of another package; `read` as in `rls.SharedWall`."""

    def __init__(self, table: str, *, read: str = "platform", writable: bool = True) -> None:
        self.table, self.read, self.writable = table, read, writable
        wall = SharedWall(table, read, writable=writable)
        super().__init__(
            sql=tuple(wall.raise_statements()), reverse_sql=tuple(wall.lower_statements())
        )

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        kwargs: dict[str, object] = {"read": self.read, "writable": self.writable}
        return self.__class__.__qualname__, [self.table], kwargs
