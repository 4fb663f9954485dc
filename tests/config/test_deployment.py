"""The production shape, as far as it can be checked without starting it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.embedded import handing_over
from config.settings import base
from tests import extras

ROOT = Path(__file__).resolve().parents[2]
WORKERS = {"worker", "operator", "backups"}
SERVICES = {"postgres", "pgbouncer", "valkey", "migrate", "web", "beat"} | WORKERS
OBSERVING = {"prometheus", "grafana"}  # where the profile of that name is asked for


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


def test_the_services_are_those_of_production(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == SERVICES | OBSERVING
    asked = {n for n, s in compose["services"].items() if s.get("profiles") == ["observing"]}
    assert asked == OBSERVING
    assert compose["services"]["pgbouncer"]["environment"]["POOL_MODE"] == "transaction"
    assert compose["services"]["postgres"]["image"].startswith("postgres:18.")


@pytest.mark.parametrize("name", sorted((SERVICES | OBSERVING) - {"migrate"}))
def test_every_lasting_service_has_a_health_check(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    # The web service has the image's own.
    assert "test" in service.get("healthcheck", {}) or name == "web"
    assert service["restart"] == "unless-stopped"


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if any(word in variable for word in ("SECRET", "PASSWORD", "_URL")):
                assert "${" in str(value), (name, variable)
                assert ":-" not in str(value), (name, variable)


def test_what_prometheus_scrapes_is_served(compose: dict[str, Any]) -> None:
    text = (ROOT / "config" / "observing" / "prometheus.yml").read_text()
    jobs = yaml.safe_load(text)["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    served = {"web": ["web:8000"]}
    for name in WORKERS:
        served[name] = [f"{name}:{compose['services'][name]['environment']['METRICS_PORT']}"]
    assert targets == served
    assert "web" in compose["services"]["web"]["environment"]["PLATFORM_HOSTS"]


@pytest.mark.parametrize("name", sorted(OBSERVING))
def test_what_is_mounted_is_in_the_repository(compose: dict[str, Any], name: str) -> None:
    for volume in compose["services"][name]["volumes"]:
        source = volume.split(":")[0]
        assert not source.startswith(".") or (ROOT / source).exists(), source


def test_only_operator_and_migration_have_the_owners_login(compose: dict[str, Any]) -> None:
    having = {n for n, s in compose["services"].items() if "DATABASE_OWNER_URL" in str(s)}
    assert having == {"operator", "migrate"}


def test_workers_that_stand_apart_are_there_under_their_names(compose: dict[str, Any]) -> None:
    """And each reads queues of its own, that settings name."""
    read = {}
    for name in base.WORKERS_APART:
        command = compose["services"][name]["command"]
        assert command[command.index("-n") + 1] == f"{name}@%h"
        assert int(command[command.index("--concurrency") + 1]) > 0
        read[name] = command[command.index("-Q") + 1]
    backups = f"{base.WAL_QUEUE},{base.BACKUPS_QUEUE}"
    assert read == {"operator": base.OPERATORS_QUEUE, "backups": backups}


def test_the_web_reads_backups_and_two_workers_alone_write_and_open_them(
    compose: dict[str, Any],
) -> None:
    mounted = {
        name: volume.removeprefix("backups:/data/backups")
        for name, service in compose["services"].items()
        for volume in service.get("volumes", ())
        if volume.startswith("backups:")
    }
    assert mounted == {"web": ":ro", "operator": "", "backups": ""}
    logins = {
        n: s["environment"].get("BACKUP_STORAGE_LOGIN")
        for n, s in compose["services"].items()
        if "environment" in s
    }
    assert {name: login for name, login in logins.items() if login} == {
        "web": "${BACKUP_STORAGE_READER:-}",
        "operator": "${BACKUP_STORAGE_WRITER:-}",
        "backups": "${BACKUP_STORAGE_WRITER:-}",
    }
    having = {n for n, s in compose["services"].items() if "BACKUP_KEYS" in str(s)}
    assert having == {"operator", "backups"}


def test_wal_is_laid_down_as_by_the_embedded_server(compose: dict[str, Any]) -> None:
    started = compose["services"]["postgres"]["command"]
    assert f"-carchive_command={handing_over.command(Path('/wal'))}" in started
    assert "-cmax_slot_wal_keep_size=1GB" in started
    assert "wal:/wal" in compose["services"]["postgres"]["volumes"]
    for name in ("operator", "backups"):
        assert "wal:/wal" in compose["services"][name]["volumes"]
        assert compose["services"][name]["environment"]["WAL_SPOOL"] == "/wal"


def test_the_image_runs_as_nobody_in_particular_and_holds_no_secret() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "\nUSER bulkhead\n" in text
    assert "HEALTHCHECK" in text
    final = text.rpartition("\nFROM ")[2]
    assert "SECRET" not in final
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".data", ".venv", ".env", ".env.*"} <= set(ignored)


def test_compose_itself_accepts_the_file() -> None:
    """By the client's plug-in for docker, or the program of its own that it was before."""
    names = (
        "SECRET_KEY TENANT_TICKET_SECRET APP_PASSWORD OWNER_PASSWORD BACKUP_PASSWORD BACKUP_KEYS"
    )
    names += " SUPERUSER_PASSWORD VALKEY_PASSWORD BULKHEAD_BASE_DOMAIN"
    names += " EMAIL_URL DEFAULT_FROM_EMAIL"
    environment = {**os.environ, **dict.fromkeys(names.split(), "x")}
    command = [*_compose_client(), "--profile", "observing", "config", "--quiet"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def _compose_client() -> list[str]:
    docker = shutil.which("docker")
    if docker:
        asked = [docker, "compose", "version"]
        if not subprocess.run(asked, capture_output=True, check=False).returncode:
            return [docker, "compose"]
    return [extras.program("docker-compose")]
