"""A database of its own with the harbour in it, and tenants with schemas to migrate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.tenants.catalogue.scratch import Scratch, made
from tests.tenants.fleet.shipyard import Shipyard

_ROOT = Path(__file__).resolve().parents[3]
_MORE = """
import datetime, django
django.setup()
from tenants.lifecycle.actions import create_tenant
for number in range(4):
    create_tenant(slug=f"port-{number}", name="Port", tier="enterprise", by="system:test",
        now=datetime.datetime.now(datetime.UTC))
"""


@dataclass(frozen=True)
class Fleet:
    """Six tenants with schemas, and what an operator does with them."""

    scratch: Scratch
    yard: Shipyard
    database: psycopg.Connection[Any]

    @property
    def schemas(self) -> list[str]:
        """The oldest first."""
        query = "SELECT schema_name FROM tenants_tenant WHERE placement = 'dedicated' ORDER BY id"
        return [schema for (schema,) in self.database.execute(query).fetchall()]

    def slug(self, schema: str) -> str:
        query = "SELECT slug FROM tenants_tenant WHERE schema_name = %s"
        return str(self.database.execute(query, [schema]).fetchone()[0])

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Of a new release: what the one before compiled is of no use any more."""
        self.database.execute("DELETE FROM bulkhead.blueprint")
        return self.scratch.manage("migrate_fleet", *arguments, **environment)

    def told(self, *arguments: str, **environment: str) -> tuple[int, Any]:
        """The exit code, and what `--json` says."""
        ran = self.run(*arguments, "--json", **environment)
        assert ran.stdout, ran.stderr
        return ran.returncode, json.loads(ran.stdout)

    def begun(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", "migrate_fleet", *arguments],
            cwd=_ROOT,
            env={**os.environ, **self.scratch.environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def having(self, column: str) -> set[str]:
        """Schemas whose boats have the column."""
        query = (
            "SELECT table_schema FROM information_schema.columns"
            " WHERE table_name = 'harbour_boat' AND column_name = %s"
        )
        return {schema for (schema,) in self.database.execute(query, [column]).fetchall()}

    def recorded(self, schema: str, migration: str) -> int:
        """How often the schema has it on record."""
        query = f'SELECT count(*) FROM "{schema}".django_migrations WHERE app = %s AND name = %s'
        return int(self.database.execute(query, migration.split(".")).fetchone()[0])


@pytest.fixture(scope="package")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    yard = Shipyard(tmp_path_factory.mktemp("harbour"))
    with made(**yard.environment) as scratch:
        environment = {**os.environ, **scratch.environment}
        subprocess.run([sys.executable, "-c", _MORE], env=environment, check=True, cwd=_ROOT)
        url = scratch.environment["DATABASE_SUPERUSER_URL"]
        with psycopg.connect(url, autocommit=True) as database:
            yield Fleet(scratch, yard, database)


@pytest.fixture(autouse=True)
def _in_order(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test leaves the fleet with all migrations that there are."""
    yield
    if "fleet" in request.fixturenames:
        fleet = request.getfixturevalue("fleet")
        last = f"harbour.{fleet.yard.names[-1]}"
        everywhere = ["public", *fleet.schemas]
        assert [fleet.recorded(schema, last) for schema in everywhere] == [1] * len(everywhere)
