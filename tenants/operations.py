"""Migration operations for what no model describes: functions, and walls of third-party tables."""

from __future__ import annotations

from typing import Any

from django.db import migrations, router
from django.db.migrations.operations.base import Operation

from tenants import entry
from tenants.constraints import TenantWall
from tenants.identifiers import PUBLIC_SCHEMA
from tenants.rls import SharedWall

# What migrations with these operations accept.
MAKES_A_DOMAIN = {
    "unreadable_sql": "It makes the type of the ticket where that is not there, and locks no table."
}


class InstallEntry(migrations.RunSQL):
    """Creates `enter_tenant`, the `proven_…`, `refuse_change` and the table of the ticket key."""

    def __init__(self) -> None:
        super().__init__(sql=list(entry.INSTALL), reverse_sql=entry.UNINSTALL)

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return self.__class__.__qualname__, [], {}


class PublicSQL(migrations.RunSQL):
    """Runs for `public` only: for what an app of tenants has once, as its functions.

    Made again with every dedicated schema, two that come to be at once would meet in it.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.schema_name == PUBLIC_SCHEMA:
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.schema_name == PUBLIC_SCHEMA:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class RenewEntry(migrations.RunSQL):
    """Replaces the functions of `InstallEntry` by today's; for a migration that follows a change.

    Installations without the change have them already: nothing happens there.
    """

    def __init__(self) -> None:
        super().__init__(sql=list(entry.FUNCTIONS), reverse_sql=migrations.RunSQL.noop)

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return self.__class__.__qualname__, [], {}


class RenewWalls(Operation):
    """Makes the walls of an app's tenant tables say what `tenants.rls` says today.

    Each schema is renewed by its own run of the migration; the last one takes the functions along
    that no policy reads any more.
    """

    reduces_to_sql = True
    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models stay as they are."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        connection = schema_editor.connection
        if not router.allow_migrate(connection.alias, app_label):
            return
        models = to_state.apps.get_app_config(app_label).get_models()
        # In an order of its own: what is compiled twice has to be the same.
        for model in sorted(models, key=lambda model: model._meta.db_table):
            for constraint in model._meta.constraints:
                if isinstance(constraint, TenantWall):
                    wall = constraint.wall(model._meta.db_table, str(connection.schema_name))
                    for statement in wall.renew_statements():
                        schema_editor.execute(statement, params=None)
        for signature in entry.RETIRED:
            schema_editor.execute(_DROP_IF_UNUSED.format(signature), params=None)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Nothing: today's walls hold in any earlier state."""

    def describe(self) -> str:
        return "Renew the walls of tenant tables"


_DROP_IF_UNUSED = """DO $$ BEGIN
    DROP FUNCTION IF EXISTS {};
EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
END $$"""


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
