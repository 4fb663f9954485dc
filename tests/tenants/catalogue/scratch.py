"""A database of its own to break: no other test ever connects to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import psycopg

from tenants.catalogue import inspection, pattern
from tenants.catalogue.gap import Gap
from tenants.identifiers import new_id, schema_of
from tenants.roles import APP, OWNER
from tests.servers import FRESH

_ROOT = Path(__file__).resolve().parents[3]
_VARIABLES = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "DATABASE_BACKUP_URL",
    "DATABASE_SUPERUSER_URL",
)
_PREPARE = """
import datetime, django
django.setup()
from django.core.management import call_command
from tenants.lifecycle.actions import create_tenant
call_command("provision_roles")
call_command("migrate", verbosity=0)
now = datetime.datetime.now(datetime.UTC)
for slug, tier in (("birch", "starter"), ("globex", "enterprise"), ("initech", "enterprise")):
    create_tenant(slug=slug, name=slug, tier=tier, by="system:test", now=now)
"""
# Roles belong to the whole server: one breaks them at a time.
_LOCK = 0x0CA7A106


@dataclass(frozen=True)
class Scratch:
    """The database, and a dedicated tenant's schema in it."""

    environment: dict[str, str]
    connection: psycopg.Connection
    dedicated: str
    tenant_id: str
    pattern: str = ""  # a schema as the migrations make it, if one has been made

    def gaps(self, sql: str = "", *, by_owner: bool = True, seen_by: str = OWNER) -> list[Gap]:
        """What a role finds after `sql`, in a transaction that is rolled back."""
        with alone(), self.connection.cursor() as cursor:
            try:
                if by_owner:
                    cursor.execute(f"SET LOCAL ROLE {OWNER}")
                cursor.execute(sql)
                cursor.execute(f"SET LOCAL ROLE {seen_by}")
                return inspection.gaps(cursor, made=self.pattern)
            finally:
                self.connection.rollback()

    @contextmanager
    def with_pattern(self) -> Iterator[Scratch]:
        """With a schema to hold the others against, as an inspection makes it for itself; it stays
        for a while, so nobody may use its tables."""
        schema = schema_of(new_id())
        statements = pattern.script(schema)
        with psycopg.connect(self.environment["DATABASE_OWNER_URL"]) as owner:
            with owner.cursor() as cursor:
                pattern.build(cursor, schema, statements)
            owner.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {APP}")
            owner.commit()
            yield replace(self, pattern=schema)
            owner.execute(f"DROP SCHEMA {schema} CASCADE")

    @contextmanager
    def broken(self, sql: str, repair: str) -> Iterator[None]:
        """Broken for other processes too, and repaired at the end."""
        with psycopg.connect(self.environment["DATABASE_OWNER_URL"], autocommit=True) as owner:
            owner.execute(sql)
            try:
                yield
            finally:
                owner.execute(repair)

    def manage(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`manage.py` on this database."""
        return subprocess.run(
            [sys.executable, str(_ROOT / "manage.py"), *arguments],
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def made(**more: str) -> Iterator[Scratch]:
    """Provisioned, migrated, with three tenants; dropped at the end. `more` is told to each of its
    processes."""
    name = f"scratch_{uuid4().hex[:12]}"
    urls = {key: _pointed(os.environ[key], name) for key in _VARIABLES if key in os.environ}
    environment = {**urls, **more}
    server = os.environ["DATABASE_SUPERUSER_URL"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {os.environ[FRESH]}")
        try:
            _prepare(environment)
            with psycopg.connect(environment["DATABASE_SUPERUSER_URL"]) as scratch:
                yield _described(environment, scratch)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _prepare(environment: dict[str, str]) -> None:
    with alone():
        subprocess.run(
            [sys.executable, "-c", _PREPARE],
            env={**os.environ, **environment},
            check=True,
            stdout=subprocess.DEVNULL,
        )


def _described(environment: dict[str, str], connection: psycopg.Connection) -> Scratch:
    row = connection.execute(
        "SELECT schema_name, id::text FROM tenants_tenant WHERE slug = 'globex'"
    ).fetchone()
    connection.rollback()
    assert row is not None
    return Scratch(environment, connection, *row)


def _pointed(url: str, database: str) -> str:
    """The URL with another database; what follows a `?` stays."""
    address, mark, options = url.partition("?")
    return f"{address.rpartition('/')[0]}/{database}{mark}{options}"


@contextmanager
def alone() -> Iterator[None]:
    """No other test changes roles meanwhile."""
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        yield
