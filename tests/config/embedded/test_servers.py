"""Both servers, as their users meet them."""

from __future__ import annotations

import stat
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.embedded.errors import EmbeddedError
from config.embedded.servers import RunningServers, joined, running


def _ask(servers: RunningServers, question: str) -> object:
    with psycopg.connect(servers.dsn("superuser")) as connection:
        row = connection.execute(question).fetchone()
        return row and row[0]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("SHOW server_encoding", "UTF8"),
        ("SHOW data_checksums", "on"),
        ("SHOW unix_socket_directories", ""),
        ("SHOW password_encryption", "scram-sha-256"),
        ("SELECT datlocale FROM pg_database WHERE datname = current_database()", "C.UTF-8"),
        ("SELECT current_database()", "bulkhead"),
        ("SHOW fsync", "off"),
    ],
)
def test_postgres_is_set_up_as_decided(served: RunningServers, question: str, answer: str) -> None:
    assert _ask(served, question) == answer


def test_each_server_listens_on_loopback_only(served: RunningServers) -> None:
    for server in served.started:
        assert server.pid is not None
        sockets = psutil.Process(server.pid).net_connections("inet")
        listening = {s.laddr for s in sockets if s.status == psutil.CONN_LISTEN}
        assert listening == {("127.0.0.1", server.port)}


def test_a_wrong_password_is_refused(served: RunningServers) -> None:
    password = served.folder.secret("postgres")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(served.dsn("superuser").replace(password, "guess"))
    with (
        redis.Redis(port=served.started[1].port, retry=Retry(NoBackoff(), 0)) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_valkey_refuses_to_forget(served: RunningServers) -> None:
    with redis.Redis.from_url(served.redis_url, decode_responses=True) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_the_environment_names_every_user(served: RunningServers) -> None:
    found = served.environment()
    users = {
        "DATABASE_URL": "bulkhead_app",
        "DATABASE_OWNER_URL": "bulkhead_owner",
        "DATABASE_BACKUP_URL": "bulkhead_backup",
        "DATABASE_SUPERUSER_URL": "postgres",
    }
    for variable, user in users.items():
        assert found[variable].startswith(f"postgresql://{user}:")
    assert len({found[variable] for variable in users}) == len(users)
    assert len(bytes.fromhex(found["TENANT_TICKET_SECRET"])) == 32


def test_another_process_finds_the_same_servers(served: RunningServers) -> None:
    there = joined(served.folder.path, given={})
    assert there is not None
    assert there.environment() == served.environment()


def test_who_comes_second_is_told(served: RunningServers) -> None:
    with (
        pytest.raises(EmbeddedError, match="already runs"),
        running(served.folder.path, given={}),
    ):
        pytest.fail("two hold one folder")


def test_secrets_are_private(served: RunningServers) -> None:
    mode = (served.folder.path / "secrets.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_what_the_environment_names_is_not_embedded(place: Path) -> None:
    given = {"DATABASE_URL": "postgresql://a@b/c", "REDIS_URL": "redis://d", "SECRET_KEY": "e"}
    with running(place, given=given) as servers:
        assert servers.started == []
        found = servers.environment()
        assert found.items() >= given.items()
        assert "DATABASE_OWNER_URL" not in found
        with pytest.raises(EmbeddedError, match="DATABASE_OWNER_URL is not set"):
            servers.dsn("owner")


def test_nothing_to_join_where_nothing_runs(place: Path) -> None:
    assert joined(place, given={}) is None
