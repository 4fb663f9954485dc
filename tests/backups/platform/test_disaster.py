"""Everything is lost but storage and master key: docs/disaster-recovery.md, word by word.

The storage is a bucket on a real server that speaks S3; instants are tried with a folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.embedded import ports
from config.embedded.servers import running
from tests.backups.storage import servers
from tests.backups.test_kills import ROOT

_PAGE = ROOT / "docs" / "disaster-recovery.md"
_COMMAND = re.compile(r"^ *\$ (.+)$", re.M)
_SECONDS = 120
_MANAGE = ("python", "-m", "config.embedded", "manage")
# Whether it is started as an operator does, with web and workers; else only its servers are.
UP = bool(os.environ.get("DISASTER_UP"))
_PREPARE = """
import datetime, django
django.setup()
from django.core.management import call_command
from tenants.lifecycle.actions import create_tenant
call_command("provision_roles")
call_command("migrate", verbosity=0)
now = datetime.datetime.now(datetime.UTC)
for slug, tier in (("acme", "starter"), ("globex", "enterprise")):
    create_tenant(slug=slug, name=slug, tier=tier, by="system:test", now=now)
"""
_EVENTS = (
    "INSERT INTO {}.trading_notification (tenant_id, id, user_id, number, kind, at, data)"
    " SELECT id, gen_random_uuid(), id, (SELECT count(*) FROM {}.trading_notification) + n,"
    " 'x', now(), '{{}}' FROM tenants_tenant, generate_series(1, 1000) n WHERE slug = '{}'"
)


def commands(section: str) -> list[list[str]]:
    """Those that a section of the page tells to type."""
    (found,) = re.findall(rf"^## {section}$(.*?)^## ", _PAGE.read_text(), re.M | re.S)
    return [line.split() for line in _COMMAND.findall(found)]


@dataclass
class Machine:
    """A data folder, and what is in the environment of whoever types there."""

    data: Path
    environment: dict[str, str]

    def run(self, *command: str) -> None:
        ran = subprocess.run(
            [sys.executable, *command[1:]],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr

    @contextmanager
    def up(self) -> Iterator[None]:
        """Until it says that it is ready, and to its end after the block."""
        started = subprocess.Popen(
            [sys.executable, "-m", "config.embedded", "up"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert started.stdout is not None
        try:
            said = []
            for line in started.stdout:
                said.append(line)
                if "is ready" in line:
                    break
            else:
                pytest.fail("".join(said))
            yield
        finally:
            started.send_signal(signal.SIGTERM)
            started.communicate(timeout=_SECONDS)


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bulkhead-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may run as another user than this process
        yield Path(folder)


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Where backups are kept, as the environment says it."""
    with servers.speaking_s3(tmp_path) as port:
        url = servers.url(port, servers.make_bucket(port), prefix="bulkhead/main")
        yield {"BACKUP_STORAGE": url, "BACKUP_STORAGE_LOGIN": servers.LOGIN}


def machine(place: Path, name: str, **more: str) -> Machine:
    data = place / name / "data"
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    environment |= {
        "BULKHEAD_DATA_DIR": str(data),
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "DEBUG": "false",
        "PORT": str(ports.choose(None)),
        **more,
    }
    data.parent.mkdir(mode=0o755)
    return Machine(data, environment)


def all_rows(dsn: str) -> dict[str, Any]:
    """Of every table of ours, in all schemas: how many, and a digest that no order changes."""
    found: dict[str, Any] = {}
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname = 'public' OR schemaname LIKE 'tenant%' ORDER BY 1"
        ).fetchall()
        for (name,) in tables:
            digest = f"SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {name} t"
            found[name] = connection.execute(digest.encode()).fetchone()
    return found


def test_all_of_it_comes_back_from_storage_and_key(place: Path, bucket: dict[str, str]) -> None:
    lost = machine(place, "lost", **bucket)
    with running(lost.data, durable=False, given={}) as there:
        lost.run("python", "-m", "config.embedded", "run", "--", sys.executable, "-c", _PREPARE)
        dsn = there.dsn("superuser")
        for command in commands("Before"):
            write(dsn)
            lost.run(*command)
        was = all_rows(dsn)
        write(dsn)  # and nobody has brought it into the storage
        lost.run(*_MANAGE, "backup_tenant", "acme")  # of which the database of then knows nothing
    secrets = json.loads((lost.data / "secrets.json").read_text())
    shutil.rmtree(lost.data.parent)

    empty = machine(place, "empty", BACKUP_KEYS=secrets["BACKUP_KEYS"], **bucket)
    first, second, *rest = commands("After")
    empty.run(*first)
    assert json.loads((empty.data / "secrets.json").read_text()) == secrets
    assert second[-1] == "up"
    with running(empty.data, given={}) as there:
        found = all_rows(there.dsn("superuser"))
        assert {name for name in was if found.get(name) != was[name]} == set()
        assert len([n for n in was if "trading_notification" in n and was[n][0] >= 3000]) == 2
        if not UP:
            for command in rest:
                empty.run(*command)
            assert backups_of(there.dsn("superuser"), "acme") == ["complete"]
    if UP:
        with empty.up():
            for command in rest:
                empty.run(*command)


def backups_of(dsn: str, slug: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        known = "SELECT status FROM backups_backup WHERE slug = %s"
        return [status for (status,) in connection.execute(known, [slug]).fetchall()]


def write(dsn: str) -> None:
    """Rows of both tenants, and a change on the platform."""
    with psycopg.connect(dsn) as connection:
        for slug in ("acme", "globex"):
            row = connection.execute(
                "SELECT CASE placement WHEN 'dedicated' THEN schema_name ELSE 'public' END"
                " FROM tenants_tenant WHERE slug = %s",
                [slug],
            ).fetchone()
            assert row is not None
            connection.execute(_EVENTS.format(row[0], row[0], slug).encode())
