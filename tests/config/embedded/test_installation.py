"""What the variables of `make up` mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.embedded.errors import EmbeddedError
from config.embedded.installation import PROJECT, Installation

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
    assert [program.name for program in programs] == ["web", "worker", "beat", "replay"]
    assert all("DATABASE_SUPERUSER_URL" not in program.environment for program in programs)


def test_no_replay_at_speed_zero() -> None:
    programs = Installation.of({"BULKHEAD_REPLAY_SPEED": "0"}).programs(_ALL)
    assert "replay" not in [program.name for program in programs]


def test_a_relative_data_folder_is_made_absolute() -> None:
    assert Installation.of({"BULKHEAD_DATA_DIR": "x"}).data_dir == Path.cwd() / "x"
