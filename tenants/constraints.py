"""The walls as Django constraints, so that migrations carry them and drift shows."""

from __future__ import annotations

from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import BaseConstraint

from tenants.rls import SharedWall, Wall, quoted


class _WallConstraint(BaseConstraint):
    """A constraint that lives in policies, keys and grants, not in a CHECK.

    Its statements go to the editor's deferred SQL: they run in order at the end of the migration
    that makes the table, in the same transaction. It goes at once: what it stood on may go next.
    """

    def statements(self, model: type[models.Model], schema: str) -> list[str]:
        raise NotImplementedError  # each wall says its own

    def removal(self, model: type[models.Model], schema: str) -> list[str]:
        raise NotImplementedError  # each wall says its own

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        self.create_sql(model, schema_editor)

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        schema_editor.deferred_sql.extend(self.statements(model, _schema_of(schema_editor)))

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        for statement in self.removal(model, _schema_of(schema_editor)):
            schema_editor.execute(statement)

    def validate(
        self,
        model: type[models.Model],
        instance: models.Model,
        exclude: Any = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Only the database can tell; it does so on every statement."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _WallConstraint):
            return self.deconstruct() == other.deconstruct()
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)


class TenantWall(_WallConstraint):
    """Isolation of a tenant-owned table: key, default, forced policies, grants."""

    def __init__(
        self,
        *,
        name: str,
        owner_column: str | None = None,
        append_only: bool = False,
        is_deletable: bool = True,
    ) -> None:
        super().__init__(name=name)
        self.owner_column = owner_column
        self.append_only = append_only
        self.is_deletable = is_deletable

    def wall(self, table: str, schema: str) -> Wall:
        return Wall(table, schema, self.owner_column, self.append_only, self.is_deletable)

    def statements(self, model: type[models.Model], schema: str) -> list[str]:
        return self.wall(model._meta.db_table, schema).raise_statements()

    def removal(self, model: type[models.Model], schema: str) -> list[str]:
        return self.wall(model._meta.db_table, schema).lower_statements()

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        if self.owner_column:
            kwargs["owner_column"] = self.owner_column
        if self.append_only:
            kwargs["append_only"] = True
        if not self.is_deletable:
            kwargs["is_deletable"] = False
        return path, args, kwargs


class TenantReference(_WallConstraint):
    """A composite foreign key `(tenant_id, x_id) → (tenant_id, id)`, checked at commit.

    From a row with an `owner_column` to one that has an owner too, both owners are in it: nobody
    hangs a row of their own on somebody else's. Foreign-key checks run past policies; with the
    tenant and the owner in the key there is nothing to find there.
    """

    def __init__(self, *, name: str, field: str, owner_column: str | None = None) -> None:
        super().__init__(name=name)
        self.field = field
        self.owner_column = owner_column

    def statements(self, model: type[models.Model], schema: str) -> list[str]:
        field = cast("models.ForeignKey[Any, Any]", model._meta.get_field(self.field))
        target = field.related_model
        tables = [quoted(model._meta.db_table), quoted(target._meta.db_table)]
        here, there = self._owners(target)
        return [
            # Forced policies would hide every row from the owner, and so from the check of the key.
            *(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in tables),
            f"ALTER TABLE {tables[0]} ADD CONSTRAINT {quoted(self.name)}"
            f" FOREIGN KEY (tenant_id, {here}{quoted(field.column)})"
            f" REFERENCES {tables[1]} (tenant_id, {there}id) DEFERRABLE INITIALLY DEFERRED",
            *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in tables),
        ]

    def _owners(self, target: type[models.Model]) -> tuple[str, str]:
        """The owner's column here and there, as a part of the key's list; nothing without both."""
        walls = (wall for wall in target._meta.constraints if isinstance(wall, TenantWall))
        there = next((wall.owner_column for wall in walls), None)
        if not self.owner_column or not there:
            return "", ""
        return f"{quoted(self.owner_column)}, ", f"{quoted(there)}, "

    def removal(self, model: type[models.Model], schema: str) -> list[str]:
        table = quoted(model._meta.db_table)
        return [f"ALTER TABLE {table} DROP CONSTRAINT {quoted(self.name)}"]

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        if self.owner_column:
            kwargs["owner_column"] = self.owner_column
        return path, args, {**kwargs, "field": self.field}


class SharedTable(_WallConstraint):
    """What the application may do with a table that all tenants share; see `rls.SharedWall`."""

    def __init__(self, *, name: str, read: str, **how: Any) -> None:
        super().__init__(name=name)
        self.read = read
        self.how = how  # the other fields of `rls.SharedWall` that differ from its defaults

    def wall(self, table: str) -> SharedWall:
        return SharedWall(table, self.read, **self.how)

    def statements(self, model: type[models.Model], schema: str) -> list[str]:
        return self.wall(model._meta.db_table).raise_statements()

    def removal(self, model: type[models.Model], schema: str) -> list[str]:
        return self.wall(model._meta.db_table).lower_statements()

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "read": self.read, **self.how}


def _schema_of(schema_editor: Any) -> str:
    return str(schema_editor.connection.schema_name)
