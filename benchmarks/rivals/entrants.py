"""Brings the rivals to the start: packages, a database each, and Bulkhead's orders in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from benchmarks import log_ins
from benchmarks.contestants import Contestant
from benchmarks.installation import Installation, python
from benchmarks.population import tenant_id

PINNED = Path(__file__).resolve().parents[1] / "rivals.txt"
_TARGET = """
SELECT column_name FROM information_schema.columns
 WHERE table_schema = %s AND table_name = 'shop_order' ORDER BY ordinal_position
"""


@dataclass(frozen=True, slots=True)
class Rival:
    """A package, its settings, and how its transaction per request is named in the results."""

    package: str
    folder: str
    is_required: bool  # by the project itself
    transaction: str

    @property
    def settings(self) -> str:
        return f"benchmarks.rivals.{self.folder}.settings"

    @property
    def has_schemas(self) -> bool:
        return self.folder == "stock_tenants"


RIVALS = (
    Rival("django-tenants", "stock_tenants", is_required=True, transaction="ATOMIC_REQUESTS"),
    Rival("django-rls-tenants", "rls_tenants", is_required=False, transaction="USE_LOCAL_SET"),
    Rival("django-rls", "rls", is_required=False, transaction="ATOMIC_REQUESTS"),
)


def enter(
    installation: Installation, rival: Rival, program: str, tenants: Iterable[int]
) -> list[Contestant]:
    """Make the rival's database; it takes part as it comes, and with a transaction per request.

    `tenants` are the numbers of those who will be asked for: with a schema per tenant only they
    are made, the others have all tenants in their one table.
    """
    name = f"rival_{rival.folder}"
    with installation.superuser() as connection:
        _database(connection, name, installation.password)
    as_it_comes = Contestant(
        rival.package,
        rival.settings,
        installation.log_in(name, database=name),
        installation.environment,
        program,
        "tenant-{tenant}.localhost" if rival.has_schemas else "localhost",
    )
    with_transaction = replace(
        as_it_comes,
        name=f"{rival.package}, {rival.transaction}",
        variables={"RIVAL_TRANSACTION": "on"},
    )
    if rival.has_schemas:
        _schemas(installation, as_it_comes, tenants)
    else:
        _rows(installation, as_it_comes)
    return [as_it_comes, with_transaction]


def _database(connection: psycopg.Connection[tuple[object, ...]], name: str, password: str) -> None:
    """A log-in that owns a database, and is no superuser: policies hold for it, being forced."""
    role, secret = sql.Identifier(name), sql.Literal(password)
    connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, secret))
    connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
    log_ins.start_alike(connection, name)


def _schemas(installation: Installation, contestant: Contestant, tenants: Iterable[int]) -> None:
    settled, numbers = contestant.settled(), [str(number) for number in tenants]
    python(settled, "-m", "django", "migrate_schemas", "--shared", program=contestant.python)
    module = "benchmarks.rivals.stock_tenants.create"
    python(settled, "-m", module, *numbers, program=contestant.python)
    for number in numbers:
        where = f" WHERE tenant_id = '{tenant_id(int(number))}'"
        _copy(installation, contestant, f"customer_{number}", where)


def _rows(installation: Installation, contestant: Contestant) -> None:
    python(contestant.settled(), "-m", "django", "migrate", program=contestant.python)
    with _superuser(installation, contestant) as target, installation.superuser() as source:
        ids = source.execute("SELECT id FROM tenants_tenant").fetchall()
        with target.cursor() as cursor:
            cursor.executemany("INSERT INTO shop_tenant (id) VALUES (%s)", ids)
    _copy(installation, contestant, "public", "")


def _copy(installation: Installation, contestant: Contestant, schema: str, where: str) -> None:
    """The same rows, in the same order, as Bulkhead has."""
    with _superuser(installation, contestant) as target, installation.superuser() as source:
        target.execute("SET session_replication_role = replica")
        columns = ", ".join(f'"{name}"' for (name,) in target.execute(_TARGET, [schema]))
        read = f"COPY (SELECT {columns} FROM trading_order{where}) TO STDOUT"
        write = f"COPY {schema}.shop_order ({columns}) FROM STDIN"
        with source.cursor().copy(read) as out, target.cursor().copy(write) as into:
            for block in out:
                into.write(block)
        target.execute(f"VACUUM (ANALYZE) {schema}.shop_order")


def _superuser(
    installation: Installation, contestant: Contestant
) -> psycopg.Connection[tuple[object, ...]]:
    return installation.superuser(urlsplit(contestant.dsn).path.lstrip("/"))
