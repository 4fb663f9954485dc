"""What the variables of `make up` mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from unittest import mock

import pytest

from config.embedded.errors import EmbeddedError
from config.embedded.installation import PROJECT, Installation
from config.embedded.servers import Servers

_ALL = {"DATABASE_URL": "a", "DATABASE_SUPERUSER_URL": "s"}


def test_defaults() -> None:
    found = Installation.of({})
    assert (found.host, found.port) == ("127.0.0.1", 8000)
    assert found.data_dir == PROJECT / ".data"


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(EmbeddedError, match="PORT"):
        Installation.of({"PORT": port})


@pytest.mark.parametrize(
    ("environ", "steps"),
    [
        (_ALL, ["provision_roles", "migrate", "seed_demo"]),
        ({"DATABASE_URL": "a"}, ["migrate", "seed_demo"]),
        (_ALL | {"DEBUG": "false"}, ["provision_roles", "migrate"]),
        (
            _ALL | {"DJANGO_SETTINGS_MODULE": "config.settings.base"},
            ["provision_roles", "migrate"],
        ),
    ],
)
def test_the_demo_is_for_debugging_and_roles_need_a_superuser(
    environ: dict[str, str], steps: list[str]
) -> None:
    assert [step.name for step in Installation.of(environ).steps(environ)] == steps


def test_no_program_is_given_the_superusers_log_in() -> None:
    programs = Installation.of({}).programs(_ALL)
    assert [program.name for program in programs] == ["web", "worker", "operator", "beat", "replay"]
    later = Installation.of({}).later(_ALL)
    assert [program.name for program in later] == ["backups"]
    assert [bool(program.niceness) for program in (*programs, *later)] == [False] * 5 + [True]
    every = [*programs, *later]
    assert all("DATABASE_SUPERUSER_URL" not in program.environment for program in every)


def test_each_program_is_given_the_log_ins_that_it_needs() -> None:
    given = {**_ALL, "DATABASE_OWNER_URL": "o", "DATABASE_BACKUP_URL": "b", "BACKUP_KEYS": "k"}
    installation = Installation.of({})
    found = {
        program.name: {name for name in given if name in program.environment}
        for program in (*installation.programs(given), *installation.later(given))
    }
    reads = {"DATABASE_URL", "DATABASE_BACKUP_URL", "BACKUP_KEYS"}
    assert found.pop("operator") == {*reads, "DATABASE_OWNER_URL"}
    assert found.pop("backups") == reads
    assert set(map(frozenset, found.values())) == {frozenset({"DATABASE_URL"})}


def test_the_web_is_told_how_many_processes_serve_it() -> None:
    for number, workers in (("1", 0), ("3", 1)):
        environ = {"WEB_PROCESSES": number}
        (web,) = (p for p in Installation.of(environ).programs(_ALL) if p.name == "web")
        assert web.environment["WEB_PROCESSES"] == number
        assert " ".join(web.command).count(f"--workers {number}") == workers
    with pytest.raises(EmbeddedError, match="WEB_PROCESSES"):
        Installation.of({"WEB_PROCESSES": "none"})


def test_no_replay_at_speed_zero() -> None:
    programs = Installation.of({"BULKHEAD_REPLAY_SPEED": "0"}).programs(_ALL)
    assert "replay" not in [program.name for program in programs]


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"HOST": "127.0.0.2", "PORT": "8123"}, "http://127.0.0.2:8123"),
        ({"HOST": "::"}, "http://[::1]:8000"),
    ],
)
def test_mails_lead_to_where_it_listens(environ: dict[str, str], url: str) -> None:
    assert told(environ)["BULKHEAD_ORIGIN"] == url
    elsewhere = {**environ, "BULKHEAD_ORIGIN": "https://example.com"}
    assert told(elsewhere)["BULKHEAD_ORIGIN"] == "https://example.com"


def told(environ: dict[str, str]) -> Mapping[str, str]:
    """What the programs are given, by servers that are not ours."""
    servers = mock.Mock(spec=Servers)
    servers.environment.return_value = _ALL
    return Installation.of(environ).environment(servers, environ=environ)


def test_a_relative_data_folder_is_made_absolute() -> None:
    assert Installation.of({"BULKHEAD_DATA_DIR": "x"}).data_dir == Path.cwd() / "x"
