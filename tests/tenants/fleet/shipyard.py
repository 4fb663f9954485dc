"""Writes the migrations of the harbour, which no release has, into a folder."""

from __future__ import annotations

from pathlib import Path

_FIRST = """migrations.CreateModel(
    name="Boat",
    fields=[
        ("id", models.UUIDField(default=new_id, editable=False, primary_key=True, serialize=False)),
        ("tenant_id", ownership.TenantId()),
        ("name", models.CharField(blank=True, max_length=40)),
    ],
    options={"constraints": [constraints.TenantWall(name="tests_boat_wall")]},
)"""
_MIGRATION = """\
from django.contrib.postgres import operations
from django.db import migrations, models

from tenants import constraints, ownership
from tenants.identifiers import new_id

{before}

class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [{after}]
    operations = [{operations}]
"""


class Shipyard:
    """A folder with migrations that follow each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._package = folder / "harbour_migrations"
        self._package.mkdir()
        (self._package / "__init__.py").touch()
        self.names: list[str] = []
        self.add(_FIRST)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to have the harbour installed."""
        return {
            "DJANGO_SETTINGS_MODULE": "tests.tenants.fleet.settings",
            "PYTHONPATH": str(self.folder),
        }

    def add(self, *operations: str, before: str = "", atomic: bool = True) -> str:
        """One more, after the last; gives its name."""
        after = f'("harbour", "{self.names[-1]}")' if self.names else '("tenants", "0007_moves")'
        self.names.append(f"{len(self.names) + 1:04}_of_the_test")
        text = _MIGRATION.format(
            before=before, atomic=atomic, after=after, operations=", ".join(operations)
        )
        (self._package / f"{self.names[-1]}.py").write_text(text)
        return f"harbour.{self.names[-1]}"

    def take_back(self) -> None:
        """The last one, as if it had never been."""
        (self._package / f"{self.names.pop()}.py").unlink()

    def add_column(self, name: str) -> str:
        field = f'migrations.AddField("boat", "{name}", models.IntegerField(null=True))'
        return self.add(field)

    def add_sql(self, sql: str, **how: bool) -> str:
        return self.add(f"migrations.RunSQL({sql!r}, migrations.RunSQL.noop)", **how)
